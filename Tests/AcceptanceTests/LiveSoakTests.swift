import Foundation
import OnePassCore
import TestSupport
import Testing

/// Runs on a stream whose trainer and broker are killed at random: `make soak` sets the number of kills.
@Suite(
  "Live streams killed at random", .enabled(if: FaultTests.isSoak, "runs under make soak only"),
  .enabled(if: RedisServer.isInstalled, Comment(rawValue: RedisServer.reason)))
struct LiveSoakTests {
  @Test("Every run whose trainer and broker are killed ends with the same weights, memory and ledger")
  func killedTogether() throws {
    let kills = Int(ProcessInfo.processInfo.environment["ONEPASS_SOAK"] ?? "") ?? 200
    let server = try RedisServer(isDurable: true)
    let runs = try RunFixture(
      StripedImages(count: 400, side: 16),
      options: small + ["--classes", "4", "--replay-steps", "1", "--storage", "20", "--limit", "400"])
    let shard = try runs.pack("train.tar")
    let data = server.url("s")
    #expect(try onepass.run(["send", shard, "--to", data]).status == 0)
    let options = ["--checkpoint-every", "1", "--resume"]
    let length = try ContinuousClock().measure { try runs.train("whole", options, data: data) } / .seconds(1)
    let files = [
      "checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "checkpoint/memory.csv", "ledger",
    ]
    var chance = SeededGenerator(seed: 2, .test)
    var inTheMiddle = 0
    for number in 0..<kills {
      try? FileManager.default.removeItem(atPath: runs.folder.file("broken"))
      let running = try runs.start("broken", options, data: data)
      _ = running.wait { runs.folder.exists("broken/unfinished") }
      Thread.sleep(forTimeInterval: length * chance.nextUnit())
      // The broker first or last, so that the run may see its end.
      if number % 2 == 0 { server.kill() }
      running.signal(SIGKILL)
      _ = running.wait()
      if number % 2 == 1 { server.kill() }
      try server.start()
      if !runs.folder.exists("broken/result.json") { inTheMiddle += 1 }
      try runs.resume("broken", options, data: data)
      try runs.expectSame("whole", "broken", files)
      try runs.expectVerified("broken")
    }
    print("soak: \(kills) kills of trainer and Redis, \(inTheMiddle) of them before the end")
  }
}
