import Foundation

/// The regularised incomplete beta function I_x(a, b).
///
/// Source: Press et al. 2007, Numerical Recipes, section 6.4: the continued fraction, by Lentz's method.
enum IncompleteBeta {
  /// I_x(a, b), for x and 1 − x that are both precise.
  /// - Precondition: a and b above 0, x and its complement in 0 … 1.
  static func regularised(_ a: Double, _ b: Double, x: Double, complement: Double) -> Double {
    precondition(a > 0 && b > 0 && x >= 0 && complement >= 0, "I_x(a, b) needs a, b > 0 and x in 0 … 1.")
    guard x > 0 else { return 0 }
    guard complement > 0 else { return 1 }
    let logBeta = lgamma(a).0 + lgamma(b).0 - lgamma(a + b).0
    let front = exp(a * log(x) + b * log(complement) - logBeta)
    // The fraction converges fast below the mean of the distribution; above, the symmetry is used.
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(a, b, x) / a : 1 - front * fraction(b, a, complement) / b
  }

  private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
    let tiny = 1e-300
    func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / away(1 - (a + b) * x / (a + 1))
    var result = d
    for m in 1...10_000 {
      let m = Double(m)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / away(1 + even * d)
      c = away(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / away(1 + odd * d)
      c = away(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return result
  }
}
