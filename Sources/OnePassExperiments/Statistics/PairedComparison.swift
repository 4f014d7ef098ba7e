/// The difference of two methods, seed by seed: both saw the same stream in the same order from the same weights.
///
/// Pairing takes out what a seed does to both methods alike.
package struct PairedComparison: Hashable, Sendable {
  /// First minus second, one for each seed that both have.
  package let differences: Sample
  /// Those seeds.
  package let seeds: [UInt64]

  /// - Parameter differences: First minus second for each seed that both have.
  /// - Returns: `nil` if there is none.
  init?(differences: [UInt64: Double]) {
    guard !differences.isEmpty else { return nil }
    seeds = differences.keys.sorted()
    self.differences = Sample(seeds.map { differences[$0, default: 0] })
  }

  package var n: Int { differences.n }
  package var mean: Double { differences.mean }

  /// The 95 % confidence interval of the mean difference (paired t); `nil` for a single pair.
  package var interval: ClosedRange<Double>? {
    differences.confidence.map { mean - $0...mean + $0 }
  }

  /// The two-sided p-value of "there is no difference" (paired t test); `nil` for a single pair.
  package var pValue: Double? {
    guard let error = differences.standardError else { return nil }
    guard error > 0 else { return mean == 0 ? 1 : 0 }
    return StudentT(degreesOfFreedom: n - 1).twoSided(mean / error)
  }

  /// What the interval says about the sign of the difference.
  package var verdict: Verdict {
    guard let interval else { return .singleSeed }
    return interval.lowerBound > 0 ? .higher : interval.upperBound < 0 ? .lower : .notShown
  }

  package enum Verdict: String, Sendable {
    case higher, lower
    /// The interval contains 0: no difference is shown, and none is ruled out.
    case notShown = "not shown"
    /// One seed, which says nothing about chance.
    case singleSeed = "one seed"
  }
}
