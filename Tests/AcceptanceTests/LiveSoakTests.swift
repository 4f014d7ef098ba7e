import BrokerServers
import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

/// Runs on streams whose trainer and broker are killed at random: `make soak` sets the number of kills, and `make test` has one for
/// each broker.
@Suite(
  "Live streams killed at random", .waitsForPrograms, .serialized,
  .enabled(if: !BrokerServers.installed.isEmpty, "\(BrokerServers.reason)"))
struct LiveSoakTests {
  private static let options = [
    "--limit", "400", "--record", "tar", "--checkpoint-every", "1", "--resume",
  ]
  private static let files = [
    "checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "checkpoint/memory.csv", "ledger",
  ]

  @Test(
    "A run whose trainer and broker are killed ends with the same weights, memory and ledger",
    arguments: BrokerServers.installed)
  func killedTogether(kind: BrokerServers) throws {
    let kills = Int(ProcessInfo.processInfo.environment["ONEPASS_SOAK"] ?? "") ?? 1
    let server = try kind.open()
    let runs = try RunFixture(
      StripedImages(count: 400, side: 16),
      options: small + ["--classes", "4", "--replay-steps", "1", "--storage", "20"])
    let data = server.url("s")
    let sent = try onepass.run(
      ["send", runs.pack("train.tar"), "--to", data, "--record", "tar", "--per-message", "3"])
    #expect(sent.status == 0, "\(sent.errors)")
    let length =
      try ContinuousClock().measure { try runs.train("whole", Self.options, data: data) } / .seconds(1)
    var chance = SeededGenerator(seed: 2, .test)
    var inTheMiddle = 0
    for number in 0..<kills {
      try? FileManager.default.removeItem(atPath: runs.folder.file("broken"))
      let running = try runs.start("broken", Self.options, data: data)
      if kills == 1 {
        #expect(running.wait { runs.hasCheckpoint(of: 4, "broken") })
      } else {
        _ = running.wait { runs.folder.exists("broken/unfinished") }
        Thread.sleep(forTimeInterval: length * chance.nextUnit())
      }
      // The broker first or last, so that the run may see its end.
      if number % 2 == 0 { server.crash() }
      running.signal(SIGKILL)
      _ = running.wait()
      if number % 2 == 1 { server.crash() }
      try server.start()
      if !runs.folder.exists("broken/result.json") { inTheMiddle += 1 }
      try runs.resume("broken", Self.options, data: data)
      try runs.expectSame("whole", "broken", Self.files)
      try runs.expectVerified("broken")
    }
    #expect(inTheMiddle > 0)
    if kills > 1 {
      print("soak: \(kills) kills of trainer and \(kind), \(inTheMiddle) of them before the end")
    }
  }
}
