import Foundation
import OnePass
import TestSupport
import TestTraits
import Testing

@Suite("Each option changes the run", .waitsForPrograms) struct OptionEffectTests {
  /// The weights of runs that other runs are compared with, by their options; each is trained once.
  private static let bases = Shared<[String], [UInt8]>()

  /// The weights of a run on the same data with more options.
  static func weights(_ options: [String]) throws -> [UInt8] {
    let runs = try RunFixture(StripedImages(count: 200))
    try runs.train("run", ["--replay-steps", "2"] + options)
    #expect(try runs.result("run").number("compute.examples") == Double(200 + 2 * 16 * 12))
    return try runs.weights("run")
  }

  static let rows = [
    ["--priority", "uniform"], ["--priority-timing", "current"], ["--priority-timing", "refreshed"],
    ["--priority", "learnability", "--priority-timing", "refreshed"],
    ["--priority", "pruning", "--priority-timing", "refreshed"], ["--alpha", "literal"],
    ["--no-importance-weights"], ["--drawing", "fewest-replays"],
    ["--evicting", "oldest"], ["--evicting", "most-replays"], ["--evicting", "largest-class"],
    ["--evicting", "uniform+oldest:0.5"], ["--drawing", "class-balanced", "--no-importance-weights"],
    ["--evicting", "cbrs"], ["--replay-course", "rising"],
    ["--recency-bias", "1"], ["--incoming-view", "centre"], ["--storage", "30"],
    ["--storage", "8kB"], ["--channels", "3"], ["--image-size", "16"], ["--weight-decay", "0.0005"],
    ["--augmentation", "cut-out"], ["--augmentation", "trivial"], ["--augmentation", "rand,cut-out"],
    ["--memory-encoding", "resized", "--memory-size", "8"],
    ["--memory-encoding", "resized", "--memory-quality", "10"],
    ["--updates", "joint"], ["--momentum", "0.5"], ["--learning-rate", "0.05"], ["--seed", "2"],
    ["--order-seed", "2"],
    ["--optimiser", "muon"], ["--schedule", "linear"], ["--schedule", "constant"],
    ["--schedule", "trapezoid"], ["--schedule", "on-demand"], ["--warm-up", "0.2"],
    ["--weight-average", "0.9"], ["--label-smoothing", "0.1"], ["--stored-predictions", "0.3"],
    ["--mixing", "mixup"], ["--mixing", "cutmix"], ["--blur-pool"],
    ["--stream", "by-class:2"], ["--stream", "bursts:5"], ["--stream", "label-noise:0.5"],
  ]

  /// A run with the option ends with weights other than those of the defaults.
  @Test("An option leads to other weights than the defaults", arguments: rows)
  func everyOptionChangesTheRun(arguments: [String]) throws {
    let plain = try Self.bases.value(for: []) { try Self.weights([]) }
    #expect(try Self.weights(arguments) != plain, "\(arguments) changed nothing")
  }

  /// Options with other work or with a condition, each with the options of the run that it is compared with.
  static let conditionalRows: [(base: [String], option: [String])] = [
    ([], ["--replay-steps", "1"]), ([], ["--batch-size", "32"]), ([], ["--limit", "120"]),
    ([], ["--model", "resnet20"]), ([], ["--method", "naive"]), ([], ["--classes", "6"]),
    (["--method", "multi-epoch", "--epochs", "1"], ["--epochs", "2"]),
    (["--optimiser", "muon"], ["--muon-learning-rate", "0.005"]),
    (["--optimiser", "muon"], ["--muon-weight-decay", "0.1"]),
    (["--optimiser", "muon"], ["--momentum", "0.5"]),
    (["--optimiser", "muon"], ["--learning-rate", "0.05"]),
    (["--optimiser", "muon"], ["--weight-decay", "0.01"]),
    (["--weight-decay", "0.01"], ["--weight-decay-on", "filters"]),
    (["--schedule", "trapezoid"], ["--cool-down", "0.5"]),
    (["--schedule", "on-demand"], ["--cool-down", "0.5"]),
    (["--schedule", "constant"], ["--warm-up", "0.2"]), (["--schedule", "trapezoid"], ["--warm-up", "0.2"]),
    (["--mixing", "mixup"], ["--mixing-alpha", "0.8"]),
    (["--augmentation", "rand"], ["--augmentation-magnitude", "0.8"]),
    (["--augmentation", "trivial"], ["--augmentation-growth", "3"]),
    (["--augmentation", "cut-out"], ["--augmentation-growth", "0"]),
    (["--memory-encoding", "resized"], ["--memory-size", "8"]),
    (["--memory-encoding", "resized"], ["--memory-quality", "10"]),
    (["--memory-encoding", "resized", "--memory-quality", "5"], ["--incoming-form", "stored"]),
    (["--priority", "learnability", "--priority-timing", "refreshed"], ["--alpha", "literal"]),
    (["--method", "multi-epoch", "--epochs", "2"], ["--mixing", "cutmix"]),
    (["--method", "multi-epoch", "--epochs", "2"], ["--augmentation", "rand"]),
    (["--method", "naive"], ["--weight-average", "0.9"]), ([], ["--time-to-live", "20"]),
    (["--model", "resnet18", "--limit", "32"], ["--stem", "imagenet"]),
  ]

  /// The weights of a run with options that may change its amount of work.
  static func conditionalWeights(_ options: [String]) throws -> [UInt8] {
    let runs = try RunFixture(StripedImages(count: 200))
    let isReplay = !options.contains("--method")
    try runs.train("run", (isReplay ? ["--replay-steps", "2"] : []) + options)
    return try runs.weights("run")
  }

  @Test("An option leads to other weights where its condition is met", arguments: conditionalRows)
  func everyConditionalOptionChangesTheRun(base: [String], option: [String]) throws {
    let without = try Self.bases.value(for: base) { try Self.conditionalWeights(base) }
    #expect(
      try Self.conditionalWeights(base + option) != without, "\(option) changed nothing with \(base)")
  }

  /// Options that change something else than the weights of a small run on one process, and what.
  static let otherEffects = [
    "data": "the stream", "eval-data": "the accuracy", "eval-limit": "the accuracy",
    "eval-every": "the curve", "drift": "the alarms",
    "strict": "what is an error",
    "subject-key": "the record of subjects", "label-key": "the labels of shards",
    "image-column": "the images of Parquet files", "label-column": "the labels of Parquet files",
    "orientation": "photographs that are stored rotated", "shuffle-buffer": "streams in arrival order",
    "broken-limit": "what is an error", "initialise": "needs a file of weights",
    "memory-directory": "the place of images", "keep-pictures": "the copies of images",
    "device": "the machine", "precision": "the machine", "cuda-graphs": "the machine",
    "synchronised-batch-norm": "several processes", "threads": "the speed", "decode-threads": "the speed",
    "record": "the content of messages", "on-gap": "what is an error", "broker-config": "the connection",
    "message-limit": "what is an error", "until": "the end of a broker's stream",
    "decode-memory": "the memory", "memory-key": "the encryption of images",
  ]

  /// A new option needs a row here, or its effect by name.
  @Test("Every declared option has a row or another effect")
  func everyDeclaredOptionHasARow() {
    let tested = Set((Self.rows + Self.conditionalRows.map(\.option)).joined()).filter { $0.hasPrefix("--") }
    for option in RunConfiguration.defaults.declaredOptions where !option.isRemoved {
      let isTested = tested.contains("--\(option.name)") || tested.contains("--no-\(option.name)")
      #expect(isTested != (Self.otherEffects[option.name] != nil), "\(option.name)")
    }
  }
}
