/// A difference in mean between groups of runs, with a test of whether it is 0.
///
/// It is a sum of independent parts. The single part of a paired t-test has the difference within each pair. In Welch's t-test
/// each group is a part: their variances add up, and the degrees of freedom are those of Welch and Satterthwaite.
/// ``Pairing`` decides which it is.
package struct Comparison: Hashable, Sendable {
  /// The test of a difference.
  package enum Test: String, Sendable {
    /// The paired t-test.
    case paired
    /// Welch's t-test, for unequal variances.
    case welch = "Welch"
  }

  /// The independent parts, whose means add up to the difference; at least one.
  let parts: [Sample]

  /// A comparison of at least one part.
  init(parts: [Sample]) {
    precondition(!parts.isEmpty, "A comparison has at least one part.")
    self.parts = parts
  }

  /// The test that the parts call for.
  package var test: Test { parts.count == 1 ? .paired : .welch }
  /// The number of values of each part: pairs, or runs of a group without pairs.
  package var sizes: [Int] { parts.map(\.n) }
  /// The smallest number of values of a part.
  package var n: Int { sizes.min() ?? 0 }
  /// The difference.
  package var mean: Double { parts.reduce(0) { $0 + $1.mean } }

  /// The standard error of the difference; `nil` if a part has a single value.
  package var standardError: Double? { variances.map { $0.reduce(0, +).squareRoot() } }

  /// The degrees of freedom (Welch 1947, Satterthwaite 1946), not an integer in general; `nil` for a single value.
  package var degreesOfFreedom: Double? {
    guard let variances else { return nil }
    let sum = variances.reduce(0, +)
    // Without any variance the formula is 0 / 0; the interval has no width with every value.
    guard sum > 0 else { return Double(parts.reduce(0) { $0 + $1.n - 1 }) }
    return 1 / zip(variances, parts).reduce(0) { $0 + ($1.0 / sum) * ($1.0 / sum) / Double($1.1.n - 1) }
  }

  /// The 95 % confidence interval of the difference, not corrected for other comparisons; `nil` for a single value.
  package var interval: ClosedRange<Double>? {
    guard let standardError, let degreesOfFreedom else { return nil }
    let half = standardError * StudentT(degreesOfFreedom: degreesOfFreedom).quantile(central: 0.95)
    return mean - half...mean + half
  }

  /// The p-value of the two-sided test, not corrected for other comparisons; `nil` for a single value.
  package var pValue: Double? {
    guard let standardError, let degreesOfFreedom else { return nil }
    guard standardError > 0 else { return mean == 0 ? 1 : 0 }
    return StudentT(degreesOfFreedom: degreesOfFreedom).twoSided(mean / standardError)
  }

  /// The sign of the difference, if it is significant.
  /// - Parameter corrected: The p-value after Holm's correction in its family.
  package func verdict(corrected: Double?) -> Verdict {
    guard let pValue, let corrected else { return .singleSeed }
    guard corrected < Holm.level else { return pValue < Holm.level ? .notShownInFamily : .notShown }
    return mean > 0 ? .higher : .lower
  }

  /// The outcome of a comparison.
  package enum Verdict: Sendable {
    /// Significantly above 0, or below 0, after Holm's correction.
    case higher, lower
    /// Not significant.
    case notShown
    /// Significant alone, but not after Holm's correction.
    case notShownInFamily
    /// One seed, so there is no interval.
    case singleSeed
  }

  /// The squared standard errors of the parts; `nil` if one is unknown.
  private var variances: [Double]? {
    let errors = parts.compactMap(\.standardError)
    return errors.count == parts.count ? errors.map { $0 * $0 } : nil
  }
}
