import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Several ranks of a program on this machine, connected over loopback.
public struct Ranks {
  public struct Outcome {
    /// The exit status, or 128 + the signal that ended it.
    public let status: Int32
    public let output: String
    public let errors: String
    /// From the start of the first rank to the end of this one.
    public let seconds: Double

    func requireSuccess() throws {
      if status != 0 { throw Failure(description: "A rank ended with \(status): \(errors)") }
    }

    /// The output of the scenario.
    public var values: [String: [Double]] {
      get throws { try JSONDecoder().decode([String: [Double]].self, from: Data(output.utf8)) }
    }

    /// The error message with which it ended.
    public var message: String {
      errors.split(separator: "\n").last { $0.hasPrefix("error: ") }.map { String($0.dropFirst(7)) } ?? errors
    }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a scenario as a single process, without the environment of a launcher.
  public static func alone(_ arguments: [String]) throws -> [String: [Double]] {
    let outcome = try run(1, arguments) { _, _ in [:] }[0]
    try outcome.requireSuccess()
    return try outcome.values
  }

  /// Runs a scenario with `size` ranks and expects all to succeed.
  public static func together(_ size: Int, _ arguments: [String]) throws -> [[String: [Double]]] {
    let outcomes = try run(size, arguments)
    for outcome in outcomes { try outcome.requireSuccess() }
    return try outcomes.map { try $0.values }
  }

  /// - Parameters:
  ///   - size: The number of processes.
  ///   - program: The program that each of them runs.
  ///   - settings: Additional environment variables.
  ///   - seconds: The time after which running processes are killed.
  ///   - last: A rank that is killed as soon as all others have ended.
  ///   - directory: The working directory of all; that of the test if `nil`.
  ///   - watch: Called once all processes have been started.
  ///   - environment: Returns the variables of a rank, given its number and a free port.
  public static func run(
    _ size: Int, of program: Program = .built("RankProgram"), _ arguments: [String],
    settings: [String: String] = [:], killingAfter seconds: Double = 60, killingLast last: Int? = nil,
    in directory: TemporaryFolder? = nil, watch: (_ processes: [Process]) -> Void = { _ in },
    environment: (_ rank: Int, _ port: Int) -> [String: String]
  ) throws -> [Outcome] {
    let port = try freePort()
    let folder = try TemporaryFolder()
    let start = ContinuousClock.now
    var processes: [Process] = []
    for rank in 0..<size {
      try folder.write([], to: "output\(rank)")
      try folder.write([], to: "errors\(rank)")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program.path)
      process.arguments = arguments
      if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory.path) }
      process.environment = inherited.merging(settings) { $1 }.merging(environment(rank, port)) { $1 }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle(forWritingAtPath: folder.file("output\(rank)"))
      process.standardError = FileHandle(forWritingAtPath: folder.file("errors\(rank)"))
      try process.run()
      processes.append(process)
    }
    watch(processes)
    var ends = [Double?](repeating: nil, count: size)
    while ends.contains(nil) {
      let now = (ContinuousClock.now - start) / .seconds(1)
      for (rank, process) in processes.enumerated() where ends[rank] == nil {
        if !process.isRunning { ends[rank] = now }
        let isLast = rank == last && !ends.indices.contains { $0 != rank && ends[$0] == nil }
        if now > seconds || isLast { kill(process.processIdentifier, SIGKILL) }
      }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return try processes.enumerated().map { rank, process in
      Outcome(
        status: process.terminationStatus + (process.terminationReason == .exit ? 0 : 128),
        output: String(decoding: try folder.bytes(of: "output\(rank)"), as: UTF8.self),
        errors: String(decoding: try folder.bytes(of: "errors\(rank)"), as: UTF8.self),
        seconds: ends[rank] ?? 0)
    }
  }

  public static func run(
    _ size: Int, of program: Program = .built("RankProgram"), _ arguments: [String],
    settings: [String: String] = [:], killingAfter seconds: Double = 60, killingLast last: Int? = nil,
    in directory: TemporaryFolder? = nil, watch: (_ processes: [Process]) -> Void = { _ in }
  ) throws -> [Outcome] {
    try run(
      size, of: program, arguments, settings: settings, killingAfter: seconds, killingLast: last,
      in: directory,
      watch: watch
    ) { rank, port in
      [
        "RANK": "\(rank)", "LOCAL_RANK": "\(rank)", "WORLD_SIZE": "\(size)", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "\(port)",
      ]
    }
  }

  /// The environment of the tests, without variables of a launcher.
  private static var inherited: [String: String] {
    ProcessInfo.processInfo.environment.filter { name, _ in
      !["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"].contains(name)
        && !name.hasPrefix("SLURM_") && !name.hasPrefix("TORCHELASTIC_")
    }
  }

  /// Returns a free port of this machine.
  public static func freePort() throws -> Int {
    let socket = try listeningSocket()
    close(socket.number)
    return socket.port
  }

  /// Returns a socket that accepts connections and sends nothing.
  public static func listeningSocket() throws -> (number: Int32, port: Int) {
    #if canImport(Glibc)
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listens = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
          && listen(descriptor, 8) == 0
      }
    }
    guard listens else { throw Failure(description: "No port is free.") }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }
}
