import Foundation
import TestSupport
import TestTraits
import Testing

/// Sums have an order that the shape decides, so that a run does not depend on its numbers of threads.
@Suite("The same seed gives the same run for any number of threads", .waitsForPrograms)
struct ThreadCountTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws {
    runs = RunFixture(
      try TemporaryFolder(), data: "synthetic:96:16:10", evaluationData: "synthetic:32:16:10",
      options: [
        "--model", "resnet8", "--batch-size", "16", "--replay-steps", "1", "--storage", "40", "--seed", "3",
        "--progress", "json",
      ])
  }

  /// Options that decide which operators run, and on what.
  static let matrix: [[String]] = [
    [],
    ["--model", "resnet20", "--schedule", "trapezoid"],
    ["--model", "resnet18", "--stem", "imagenet", "--limit", "48"],
    ["--model", "resnet18", "--blur-pool", "--limit", "48"],
    ["--model", "resnet50", "--batch-size", "8", "--limit", "16", "--storage", "10"],
    ["--optimiser", "muon"],
    ["--updates", "joint"],
    ["--weight-average", "0.9", "--label-smoothing", "0.1"],
    ["--mixing", "cutmix"],
    ["--stored-predictions", "0.3", "--priority-timing", "refreshed"],
    ["--augmentation", "rand", "--drawing", "uniform", "--no-importance-weights"],
    ["--method", "naive"],
    ["--method", "multi-epoch", "--epochs", "2"],
  ]

  /// What a run leaves: weights, momentum, losses and priorities, the curve without its times, and the evaluation.
  func record(_ name: String) throws -> [[UInt8]] {
    let curve = try runs.text("\(name)/curve.csv").split(separator: "\n").map {
      $0.split(separator: ",").dropLast().joined(separator: ",")
    }
    return try [
      "checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "checkpoint/memory.csv",
      "evaluation.json",
    ]
    .filter { folder.exists("\(name)/\($0)") }.map { try folder.bytes(of: "\(name)/\($0)") }
      + [Array(curve.joined(separator: "\n").utf8)]
  }

  @Test("One to four threads, and a run that is resumed with other numbers", arguments: matrix)
  func sameRun(options: [String]) throws {
    func threads(_ compute: Int, _ decode: Int) -> [String] {
      options + ["--threads", "\(compute)", "--decode-threads", "\(decode)"]
    }
    try runs.train("one", threads(1, 3))
    let one = try record("one")
    #expect(one.count >= 4)
    for count in options.isEmpty ? [2, 3, 4] : [3] {
      try runs.train("with-\(count)", threads(count, 1))
      #expect(try record("with-\(count)") == one, "\(count) threads")
    }
    if options.isEmpty || options.contains("muon") || options.contains("resnet18") {
      try runs.trainUntil(step: 2, "resumed", threads(4, 2) + ["--checkpoint-every", "2"], signal: SIGKILL)
      let resumed = try runs.resume("resumed", threads(2, 1))
      #expect(try record("resumed") == one && !resumed.errors.contains("last bits"), "\(resumed.errors)")
    }
  }
}
