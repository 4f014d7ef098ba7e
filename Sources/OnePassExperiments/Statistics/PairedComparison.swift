/// The paired difference of two methods: with each seed both have the same initial weights and the same order of the stream.
///
/// Pairing removes the variance that a seed causes in both methods.
package struct PairedComparison: Hashable, Sendable {
  /// First minus second, for each common seed.
  package let differences: Sample
  /// The common seeds in ascending order.
  package let seeds: [UInt64]

  /// A comparison of at least one pair; `nil` without pairs.
  /// - Parameter differences: First minus second, for each common seed.
  init?(differences: [UInt64: Double]) {
    guard !differences.isEmpty else { return nil }
    seeds = differences.keys.sorted()
    self.differences = Sample(seeds.map { differences[$0, default: 0] })
  }

  /// The number of pairs.
  package var n: Int { differences.n }
  /// The mean difference.
  package var mean: Double { differences.mean }

  /// The 95 % confidence interval of the mean difference (paired t); `nil` for a single pair.
  package var interval: ClosedRange<Double>? {
    differences.confidence.map { mean - $0...mean + $0 }
  }

  /// The p-value of the two-sided paired t-test; `nil` for a single pair.
  package var pValue: Double? {
    guard let error = differences.standardError else { return nil }
    guard error > 0 else { return mean == 0 ? 1 : 0 }
    return StudentT(degreesOfFreedom: n - 1).twoSided(mean / error)
  }

  /// The sign of the difference, if the interval excludes 0.
  package var verdict: Verdict {
    guard let interval else { return .singleSeed }
    return interval.lowerBound > 0 ? .higher : interval.upperBound < 0 ? .lower : .notShown
  }

  /// The outcome of a paired comparison.
  package enum Verdict: Sendable {
    /// The whole interval is above 0, or below 0.
    case higher, lower
    /// The interval contains 0: the difference is not significant.
    case notShown
    /// One seed, so there is no interval.
    case singleSeed
  }
}
