import Foundation

/// Student's t distribution with a real number of degrees of freedom.
///
/// Source: Abramowitz and Stegun 1964, 26.7.1: P(|T| > t) = I_x(ν/2, 1/2) with x = ν / (ν + t²).
struct StudentT {
  let degreesOfFreedom: Double

  /// - Precondition: More than 0 degrees of freedom.
  init(degreesOfFreedom: Double) {
    precondition(degreesOfFreedom > 0, "Student's t needs more than zero degrees of freedom.")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// P(|T| ≤ t), A(t | ν).
  func central(_ t: Double) -> Double {
    let (inside, outside) = parts(t)
    return IncompleteBeta.regularised(0.5, degreesOfFreedom / 2, x: inside, complement: outside)
  }

  /// P(|T| > t): the two-sided p-value of a statistic t.
  func twoSided(_ t: Double) -> Double {
    let (inside, outside) = parts(t)
    return IncompleteBeta.regularised(degreesOfFreedom / 2, 0.5, x: outside, complement: inside)
  }

  /// The t with P(|T| ≤ t) = `probability`, by bisection.
  /// - Precondition: `probability` in 0 ..< 1.
  func quantile(central probability: Double) -> Double {
    precondition((0..<1).contains(probability), "The central probability must be at least 0 and less than 1.")
    var (low, high) = (0.0, 1.0)
    while central(high) < probability { high *= 2 }
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if central(middle) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// t² / (ν + t²) and ν / (ν + t²), each without cancellation.
  private func parts(_ t: Double) -> (inside: Double, outside: Double) {
    let square = t * t
    return (square / (degreesOfFreedom + square), degreesOfFreedom / (degreesOfFreedom + square))
  }
}
