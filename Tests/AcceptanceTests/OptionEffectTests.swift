import Foundation
import TestSupport
import Testing

@Suite("Each option changes the run") struct OptionEffectTests {
  /// The weights of the run with the common options only, which is trained once.
  static let plain = Result { try weights([]) }

  /// The weights of a run on the same data with more options.
  static func weights(_ options: [String]) throws -> [UInt8] {
    let runs = try RunFixture(StripedImages(count: 200))
    try runs.train("run", ["--replay-steps", "2"] + options)
    #expect(try runs.result("run").number("compute.examples") == Double(200 + 2 * 16 * 12))
    return try runs.weights("run")
  }

  /// A run with the option ends with weights other than those of the defaults.
  @Test(
    "An option leads to other weights than the defaults",
    arguments: [
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
      ["--optimiser", "muon"], ["--schedule", "linear"], ["--schedule", "constant"],
      ["--schedule", "trapezoid"], ["--schedule", "on-demand"], ["--warm-up", "0.2"],
      ["--weight-average", "0.9"], ["--label-smoothing", "0.1"], ["--stored-predictions", "0.3"],
      ["--mixing", "mixup"], ["--mixing", "cutmix"], ["--blur-pool"],
    ])
  func everyOptionChangesTheRun(arguments: [String]) throws {
    #expect(try Self.weights(arguments) != Self.plain.get(), "\(arguments) changed nothing")
  }
}
