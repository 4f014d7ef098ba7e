import Foundation

/// Student's t distribution with an integer number of degrees of freedom.
///
/// Source: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4: a finite sum, exact for every ν.
struct StudentT {
  let degreesOfFreedom: Int

  /// - Precondition: 1 or more degrees of freedom.
  init(degreesOfFreedom: Int) {
    precondition(degreesOfFreedom >= 1, "Student's t needs at least one degree of freedom.")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// P(|T| ≤ t), A(t | ν).
  func central(_ t: Double) -> Double {
    let theta = atan(abs(t) / Double(degreesOfFreedom).squareRoot())
    let (sine, cosine) = (sin(theta), cos(theta))
    let isOdd = degreesOfFreedom % 2 == 1
    if degreesOfFreedom == 1 { return 2 * theta / .pi }
    // ν odd: cos θ + 2/3 cos³ θ + … + 2·4···(ν−3) / 1·3···(ν−2) cos^(ν−2) θ; even: 1 + 1/2 cos² θ + …
    var term = isOdd ? cosine : 1
    var sum = term
    for power in stride(from: isOdd ? 3 : 2, through: degreesOfFreedom - 2, by: 2) {
      term *= Double(power - 1) / Double(power) * cosine * cosine
      sum += term
    }
    return isOdd ? 2 / .pi * (theta + sine * sum) : sine * sum
  }

  /// P(|T| > t): the two-sided p-value of a statistic t.
  func twoSided(_ t: Double) -> Double { max(0, 1 - central(t)) }

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
}
