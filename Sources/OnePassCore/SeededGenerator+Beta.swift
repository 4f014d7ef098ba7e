import Foundation

extension SeededGenerator {
  /// Returns a number drawn from the distribution Beta(α, α), 0 … 1.
  ///
  /// Computed as G / (G + G′) from two draws of Gamma(α). The draws are kept as logarithms, since those of a small α underflow.
  /// - Parameter alpha: α, positive and finite.
  public mutating func nextBeta(_ alpha: Double) -> Double {
    precondition(alpha > 0 && alpha.isFinite, "alpha must be positive and finite.")
    let logarithms = (nextLogGamma(alpha), nextLogGamma(alpha))
    return 1 / (1 + exp(logarithms.1 - logarithms.0))
  }

  /// Returns the logarithm of a draw from Gamma(α) (Marsaglia and Tsang 2000; for α < 1 by G(α + 1)·U^(1/α)).
  private mutating func nextLogGamma(_ alpha: Double) -> Double {
    guard alpha >= 1 else {
      let larger = nextLogGamma(alpha + 1)
      return larger + log(1 - nextUnit()) / alpha
    }
    let d = alpha - 1 / 3.0
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = nextNormal()
      let v = 1 + c * x
      guard v > 0 else { continue }
      let logCube = 3 * log(v)
      // 1 − U is never 0.
      if log(1 - nextUnit()) < 0.5 * x * x + d - d * exp(logCube) + d * logCube { return log(d) + logCube }
    }
  }

  /// Returns a draw from the standard normal distribution (Box and Muller 1958).
  private mutating func nextNormal() -> Double {
    let radius = (-2 * log(1 - nextUnit())).squareRoot()
    return radius * cos(2 * .pi * nextUnit())
  }
}
