import Foundation

/// Statistical bounds for frequencies in tests.
public enum Statistics {
  /// The tolerance of a binomial frequency: `sigmas` standard errors, and one count for rounding.
  public static func binomialTolerance(probability: Double, trials: Int, sigmas: Double) -> Double {
    let p = min(max(probability, 0), 1)
    return sigmas * (p * (1 - p) / Double(trials)).squareRoot() + 1 / Double(trials)
  }

  /// Pearson's statistic of observed counts against probabilities that sum to 1.
  public static func chiSquared(observed: [Int], probabilities: [Double]) -> Double {
    let total = Double(observed.reduce(0, +))
    return zip(observed, probabilities).reduce(0) { sum, cell in
      let expected = cell.1 * total
      return expected == 0 ? sum : sum + (Double(cell.0) - expected) * (Double(cell.0) - expected) / expected
    }
  }

  /// The value that a χ² variable exceeds with the probability of a normal variable exceeding `sigmas`
  /// (Wilson and Hilferty 1931; within 1 % for 10 and more degrees of freedom).
  public static func chiSquaredBound(degreesOfFreedom: Int, sigmas: Double) -> Double {
    let k = Double(degreesOfFreedom)
    let root = 1 - 2 / (9 * k) + sigmas * (2 / (9 * k)).squareRoot()
    return k * root * root * root
  }
}
