import Foundation
import OnePassCore
import OnePassReplay
import TestSupport

@testable import OnePass

/// Synthetic records, with figures that a test can work out by hand.
enum SampleRuns {
  static let streamExamples = 1_000

  /// The result of a run with a given accuracy (0 … 1); its costs follow from its options.
  static func result(
    seed: UInt64, top1: Double?, _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> RunResult {
    var configuration = RunConfiguration(data: "wds:data/cifar.tar")
    (configuration.data.evaluationSource, configuration.data.limit, configuration.model.name) = (
      "wds:test.tar", 1_000, "resnet20"
    )
    (configuration.method, configuration.seed) = (.replay, seed)
    change(&configuration)
    let plan = try TrainingPlan(
      configuration, streamExamples: streamExamples, classes: 10, classNames: nil)
    let passes =
      switch configuration.method {
      case .naive: 1
      case .replay: configuration.replay.steps + 1
      case .multiEpoch: configuration.epochs
      }
    let kept =
      switch configuration.method {
      case .naive: 0
      case .replay: plan.capacityExamples ?? 50
      case .multiEpoch: streamExamples
      }
    var counters = MemoryCounters()
    (counters.examplesSeen, counters.distinctDrawn, counters.items) = (streamExamples, 400, kept)
    let items = (0..<kept).map {
      MemoryItem(
        id: $0 * streamExamples / max(1, kept), label: $0 % 10, loss: 1, priority: 1, draws: $0 % 9,
        bytes: 100)
    }
    let isReplay = configuration.method == .replay
    return RunResult(
      accuracy: top1.map { .init(top1: $0, top5: nil, loss: 1, examples: 500, skipped: 0) },
      online: .init(top1: 0.3, examples: streamExamples),
      storage: .init(
        examples: kept, bytes: kept * 110, exampleFraction: Double(kept) / Double(streamExamples),
        byteFraction: Double(kept * 110) / Double(streamExamples * 100)),
      compute: .init(
        examples: passes * streamExamples, fraction: Double(passes) / 90, updates: plan.updates),
      throughput: .init(imagesPerSecond: 500), wallSeconds: 60, trainingSeconds: 50,
      stream: .init(examples: streamExamples, skipped: 0, bytes: streamExamples * 100),
      memory: isReplay ? counters : nil,
      memoryContents: isReplay ? MemorySummary(items, examplesSeen: streamExamples) : nil,
      configuration: configuration, plan: plan, version: "0.1.0", engine: "2.11.0", machine: .current)
  }

  /// Writes a run's folder, as `onepass train` does.
  static func write(_ result: RunResult, to folder: TemporaryFolder, _ name: String) throws {
    try folder.write(Array(JSON.text(result).utf8), to: "\(name)/result.json")
    var lines = [
      "step,examples_seen,examples_trained,updates,loss,accuracy,learning_rate,alpha,memory_items,memory_bytes,seconds"
    ]
    for point in 1...20 {
      lines.append(
        "\(point),\(50 * point),\(100 * point),\(point),2.0,0.\(10 + point),0.1,0,10,1000,\(point)")
    }
    try folder.write(Array(lines.joined(separator: "\n").utf8), to: "\(name)/curve.csv")
  }

  /// Naive 30, 40 and 50 %; replay at 10 % 5, 6 and 7 points above (k = 8) and 1 below (k = 1); multi-epoch 20 above.
  static func writeTables(to folder: TemporaryFolder, seeds: ClosedRange<UInt64> = 1...3) throws {
    for seed in seeds {
      let base = 0.2 + 0.1 * Double(seed)
      let gain = 0.04 + 0.01 * Double(seed)
      let runs: [(String, Double, (inout RunConfiguration) -> Void)] = [
        ("naive", base, { $0.method = .naive }),
        ("replay-k8", base + gain, { ($0.replay.steps, $0.memory.storage) = (8, .fraction(0.1)) }),
        ("replay-k8-1pct", base + gain / 2, { ($0.replay.steps, $0.memory.storage) = (8, .fraction(0.01)) }),
        ("replay-k1", base - 0.01, { ($0.replay.steps, $0.memory.storage) = (1, .fraction(0.1)) }),
        (
          "uniform", base + gain + 0.001 * Double(seed),
          { ($0.replay.steps, $0.replay.priority) = (8, .uniform) }
        ),
        ("multi-epoch-9", base + 0.2, { ($0.method, $0.epochs) = (.multiEpoch, 9) }),
      ]
      for (name, top1, change) in runs {
        try write(result(seed: seed, top1: top1, change), to: folder, "\(name)-seed\(seed)")
      }
    }
  }

  /// Uniform replay and nine passes with Muon, one to three points better than those of `writeTables`.
  static func writeMuon(to folder: TemporaryFolder) throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      let more = 0.01 * Double(seed)
      let uniform = 0.24 + 0.111 * Double(seed)
      try write(
        result(seed: seed, top1: uniform + more) {
          ($0.replay.steps, $0.replay.priority, $0.recipe.optimiser) = (8, .uniform, .muon)
        }, to: folder, "uniform-muon-seed\(seed)")
      try write(
        result(seed: seed, top1: 0.4 + 0.1 * Double(seed) + more) {
          ($0.method, $0.epochs, $0.recipe.optimiser) = (.multiEpoch, 9, .muon)
        }, to: folder, "multi-epoch-9-muon-seed\(seed)")
    }
  }
}
