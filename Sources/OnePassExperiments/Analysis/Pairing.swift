import OnePass

/// The rule that decides which runs are paired in a comparison. It is the only one.
///
/// Two runs are a pair if they have the same seeds, of the run and of the order. They must then start from the same weights, see
/// the same examples in the same order, and be trained with the same recipe. A seed that is lucky for one is then lucky for the
/// other, and the difference within the pair removes that share of the variance. The two may differ in what they replay: the
/// method (naive or replay), the memory, the priorities, the updates of a step, and the augmentation of replays.
///
/// Other runs count as independent. Multi-epoch training reshuffles the examples in every pass, and under another recipe,
/// model or stream a seed means something else.
///
/// A comparison of several groups, such as (a - b) - (c - d), is paired if all groups are. If only some are, it is Welch's
/// with the variance of every group. As runs of a pair agree in part, this makes the interval wider and not narrower.
struct Pairing: Hashable, Sendable {
  private let shared: RunConfiguration
  /// The passes of multi-epoch training.
  private let passes: Int?

  /// - Parameter configuration: The options of a variant, without the seed and without options that have no effect.
  init(_ configuration: RunConfiguration) {
    shared = configuration.withoutMethod
    passes = configuration.method == .multiEpoch ? configuration.epochs : nil
  }
}

/// The identity of a run among those with the same options: two runs with equal ones can form a pair.
struct Replicate: Hashable, Comparable, Sendable {
  /// The seed of the run.
  let seed: UInt64
  /// The seed of the order of its stream.
  let order: UInt64

  init(seed: UInt64, order: UInt64? = nil) { (self.seed, self.order) = (seed, order ?? seed) }

  static func < (a: Replicate, b: Replicate) -> Bool { (a.seed, a.order) < (b.seed, b.order) }
}

extension Replicate {
  init(_ result: RunResult) {
    self.init(seed: result.configuration.seed, order: result.configuration.seedOfOrder)
  }
}
