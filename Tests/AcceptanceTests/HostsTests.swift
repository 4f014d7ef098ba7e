import Foundation
import TestSupport
import TestTraits
import Testing

/// Ranks on separate hosts: network namespaces of this machine, connected by a bridge. Needs root and `ip`; part of
/// `make soak`, since it changes the machine's network while it runs.
@Suite(
  "Ranks on several hosts", .waitsForPrograms,
  .serialized,
  .enabled(
    if: ProcessInfo.processInfo.environment["ONEPASS_SOAK"] != nil && Hosts.areAvailable,
    "Hosts are made by make soak, as root, where there is iproute2."))
struct HostsTests {
  enum Loss: CaseIterable, Sendable {
    /// The process is killed during a step.
    case killed
    /// The host is disconnected; the process continues.
    case cutOff
  }

  @Test("When a host is lost the others end, and the job resumes", arguments: [2, 4], Loss.allCases)
  func theOthersEndAndTheJobResumes(hosts count: Int, loss: Loss) throws {
    let runs = try RunFixture(
      StripedImages(count: 1_600, side: 12),
      options: [
        "--model", "resnet8", "--batch-size", "32", "--threads", "1", "--decode-threads", "1", "--quiet",
        "--replay-steps", "2", "--storage", "20%", "--rank-timeout", "5", "--checkpoint-every", "5",
      ])
    let folder = runs.folder
    let hosts = try Hosts(count)
    defer { hosts.remove() }
    let whole = try hosts.run(onepass, runs.arguments("whole")) { _ in }
    #expect(whole.allSatisfy { $0.status == 0 }, "\(whole.map(\.errors))")

    let lost = count - 1
    var lostAt = ContinuousClock.now
    let parts = try hosts.run(onepass, runs.arguments("parts")) { processes in
      while !runs.hasCheckpoint(of: 10, "parts"), processes[0].isRunning {
        Thread.sleep(forTimeInterval: 0.002)
      }
      lostAt = .now
      switch loss {
      case .killed: hosts.kill(processes[lost], on: lost)
      case .cutOff: hosts.cut(lost)
      }
    }
    // The timeout, the roll call, and the same time again until the disconnected rank gives up.
    #expect(ContinuousClock.now - lostAt < .seconds(30))
    for (rank, outcome) in parts.enumerated() {
      #expect(outcome.status != 0, "rank \(rank)")
      if rank != lost || loss == .cutOff { #expect(outcome.errors.contains("Rank"), "\(outcome.errors)") }
    }
    #expect(folder.exists("parts/unfinished") && !folder.exists("parts/result.json"))

    hosts.repair(lost)
    let again = try hosts.run(onepass, runs.arguments("parts", ["--resume"])) { _ in }
    #expect(again.allSatisfy { $0.status == 0 }, "\(again.map(\.errors))")
    let verified = try onepass.run(["memory", "verify", folder.file("parts")])
    #expect(verified.status == 0 && verified.output.contains("each seen once, none skipped"))
    // The sum of more than two numbers depends on their order, which depends on the gradient buckets. libtorch rearranges
    // these after the first step of each start.
    for file in ["ledger"] + (count == 2 ? ["checkpoint/model.safetensors"] : []) {
      #expect(try folder.bytes(of: "parts/\(file)") == folder.bytes(of: "whole/\(file)"), "\(file)")
    }
  }
}

/// Network namespaces on one bridge, each with an address.
final class Hosts {
  static let areAvailable =
    getuid() == 0
    && ["/usr/sbin/ip", "/sbin/ip"].contains { FileManager.default.isExecutableFile(atPath: $0) }

  private static let ip = Program(
    path: FileManager.default.isExecutableFile(atPath: "/usr/sbin/ip") ? "/usr/sbin/ip" : "/sbin/ip")
  private let count: Int
  /// A name with the id of this process, so that two test processes do not collide.
  private let mark = "op\(getpid() % 10_000)"
  private var port = 29_600

  init(_ count: Int) throws {
    self.count = count
    try ip("link add \(mark)b type bridge")
    try ip("link set \(mark)b up")
    for host in 0..<count {
      try ip("netns add \(mark)h\(host)")
      try ip("link add \(mark)v\(host) type veth peer name eth0 netns \(mark)h\(host)")
      try ip("link set \(mark)v\(host) master \(mark)b up")
      try ip("-n \(mark)h\(host) addr add 10.77.31.\(host + 1)/24 dev eth0")
      try ip("-n \(mark)h\(host) link set eth0 up")
      try ip("-n \(mark)h\(host) link set lo up")
    }
  }

  func remove() {
    for host in 0..<count { try? ip("netns del \(mark)h\(host)") }
    try? ip("link del \(mark)b")
  }

  /// Runs a program as a rank on each host.
  func run(
    _ program: Program, _ arguments: [String], watch: ([Process]) -> Void
  ) throws -> [Ranks.Outcome] {
    port += 1
    let (port, mark) = (port, mark)
    return try Ranks.run(
      count, of: Program(path: "/bin/sh"),
      ["-c", "exec \(Self.ip.path) netns exec \(mark)h$RANK \"$0\" \"$@\"", program.path] + arguments,
      killingAfter: 120, watch: watch
    ) { rank, _ in
      [
        "RANK": "\(rank)", "LOCAL_RANK": "0", "WORLD_SIZE": "\(self.count)", "MASTER_ADDR": "10.77.31.1",
        "MASTER_PORT": "\(port)",
      ]
    }
  }

  /// Kills the program on a host; `ip` has replaced itself with it.
  func kill(_ process: Process, on host: Int) { Foundation.kill(process.processIdentifier, SIGKILL) }
  func cut(_ host: Int) { try? ip("link set \(mark)v\(host) down") }
  func repair(_ host: Int) { try? ip("link set \(mark)v\(host) up") }

  private func ip(_ arguments: String) throws {
    let outcome = try Self.ip.run(arguments.split(separator: " ").map(String.init))
    guard outcome.status == 0 else { throw Failure(description: "ip \(arguments): \(outcome.errors)") }
  }

  private struct Failure: Error {
    let description: String
  }
}
