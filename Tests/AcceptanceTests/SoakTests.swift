import Foundation
import OnePassCore
import TestSupport
import Testing

/// Tests that take minutes: `make soak` sets `ONEPASS_SOAK` to the number of kills.
@Suite("Many runs killed at random", .enabled(if: FaultTests.isSoak, "runs under make soak only"))
struct SoakTests {
  /// Options of the runs that are killed. `@memory` is a memory directory, and `@keys` a key file.
  static let configurations: [[String]] = [
    [],
    ["--memory-directory", "@memory"],
    ["--memory-directory", "@memory", "--storage", "200KB"],
    ["--memory-key", "@keys"],
    ["--memory-key", "@keys", "--memory-directory", "@memory"],
    ["--memory-encoding", "resized", "--memory-size", "16", "--storage", "20KB"],
    ["--memory-encoding", "pixels", "--keep-pictures", "4"],
    ["--replay-steps", "3", "--stored-predictions", "0.3", "--priority-timing", "refreshed"],
    [
      "--replay-steps", "2", "--updates", "joint", "--drawing", "uniform+class-balanced:0.3",
      "--no-importance-weights",
    ],
    ["--evicting", "cbrs"],
    ["--time-to-live", "120", "--recency-bias", "3"],
    ["--optimiser", "muon", "--weight-average", "0.9"],
    ["--mixing", "cutmix", "--augmentation", "rand"],
    ["--schedule", "trapezoid", "--warm-up", "0.1", "--label-smoothing", "0.1"],
    ["--method", "naive"],
    ["--method", "multi-epoch", "--epochs", "2"],
    ["--keep-state", "--keep-checkpoints", "4"],
    ["--threads", "2", "--decode-threads", "3", "--priority", "uniform"],
  ]

  /// Each run is killed at a random instant, resumed, and equals the uninterrupted run.
  @Test("Every run that is killed at a random instant ends the same")
  func runsKilledAtRandomInstantsEndTheSame() throws {
    let kills = Int(ProcessInfo.processInfo.environment["ONEPASS_SOAK"] ?? "") ?? 200
    // 25 steps, with a checkpoint after each, so that most of the time is training.
    let runs = try RunFixture(
      StripedImages(count: 400, side: 20),
      options: small + ["--decode-threads", "1", "--replay-steps", "1", "--storage", "20"])
    let folder = runs.folder
    func arguments(_ configuration: Int, _ name: String) -> [String] {
      let places = ["@memory": folder.file("\(name)/memory"), "@keys": folder.file("\(name)/keys")]
      // A later value of an option replaces an earlier one.
      return runs.arguments("\(name)/run", Self.configurations[configuration].map { places[$0] ?? $0 })
        + ["--checkpoint-every", "1", "--resume"]
    }
    func outcome(_ name: String) throws -> [[UInt8]] {
      try ["model.safetensors", "optimiser.safetensors", "memory.csv"].map { "\(name)/run/checkpoint/\($0)" }
        .filter(folder.exists).map { try folder.bytes(of: $0) }
    }
    let indices = Self.configurations.indices
    let lengths = try indices.map { configuration in
      let name = "whole-\(configuration)"
      try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
      let running = try RunningProgram(onepass, arguments(configuration, name))
      #expect(running.wait { folder.exists("\(name)/run/unfinished") })
      let length = ContinuousClock().measure {
        #expect(running.wait() == 0, "\(Self.configurations[configuration]): \(running.errors)")
      }
      return length / .seconds(1)
    }
    var chance = SeededGenerator(seed: 1, .test)
    var (equal, inTheMiddle) = (0, 0)
    for number in 0..<kills {
      let configuration = number % indices.count
      try? FileManager.default.removeItem(atPath: folder.file("broken"))
      try FileManager.default.createDirectory(
        atPath: folder.file("broken"), withIntermediateDirectories: true)
      let running = try RunningProgram(onepass, arguments(configuration, "broken"))
      _ = running.wait { folder.exists("broken/run/unfinished") }
      let share = chance.nextUnit()
      Thread.sleep(forTimeInterval: lengths[configuration] * share)
      running.signal(SIGKILL)
      _ = running.wait()
      if folder.exists("broken/run/unfinished"), !folder.exists("broken/run/result.json") { inTheMiddle += 1 }
      let resumed = try onepass.run(arguments(configuration, "broken"))
      let isEqual = try resumed.status == 0 && outcome("broken") == outcome("whole-\(configuration)")
      #expect(
        isEqual,
        "kill \(number) after \(share) of the run, \(Self.configurations[configuration]): \(resumed.errors)")
      equal += isEqual ? 1 : 0
    }
    print(
      "soak: \(equal) of \(kills) killed runs in \(indices.count) configurations equal the uninterrupted one; "
        + "\(inTheMiddle) were killed between start and end"
    )
    #expect(equal == kills && inTheMiddle > kills / 2)
  }
}
