import Foundation
import OnePassCore
import Testing

/// Compares draws of Beta(α, α) with closed-form distribution functions and the exact variance 1 / (4 (2α + 1)).
@Suite("Beta-distributed random numbers") struct BetaTests {
  static let count = 20_000

  func draws(_ alpha: Double) -> [Double] {
    (0..<Self.count).map { position in
      var generator = SeededGenerator(seed: 1, .test, position)
      return generator.nextBeta(alpha)
    }
  }

  static let distributions: [(alpha: Double, below: @Sendable (Double) -> Double)] = [
    (1, { $0 }),
    (0.5, { 2 / .pi * asin($0.squareRoot()) }),
    (2, { $0 * $0 * (3 - 2 * $0) }),
    (3, { $0 * $0 * $0 * (10 - 15 * $0 + 6 * $0 * $0) }),
  ]

  @Test("The draws follow the distribution function of Beta(α, α)", arguments: distributions.indices)
  func followsTheDistribution(_ index: Int) {
    let (alpha, below) = Self.distributions[index]
    let sorted = draws(alpha).sorted()
    let distance =
      sorted.enumerated().map { rank, value in
        let (low, high) = (Double(rank) / Double(Self.count), Double(rank + 1) / Double(Self.count))
        return max(abs(below(value) - low), abs(below(value) - high))
      }.max() ?? 1
    // Kolmogorov-Smirnov: one seed in 1,000 exceeds 1.95 / √n, and the seed is fixed.
    #expect(distance < 1.95 / Double(Self.count).squareRoot(), "α = \(alpha)")
  }

  @Test(
    "The draws have the mean and variance of Beta(α, α)", arguments: [0.01, 0.2, 0.4, 0.999, 1.5, 8, 400])
  func hasTheMomentsOfItsShape(alpha: Double) {
    let values = draws(alpha)
    #expect(values.allSatisfy { (0...1).contains($0) })
    let n = Double(Self.count)
    let variance = 1 / (4 * (2 * alpha + 1))
    let squares = values.map { ($0 - 0.5) * ($0 - 0.5) }
    // Four standard errors; the fourth moment is at most 1/4 of the variance.
    #expect(abs(values.reduce(0, +) / n - 0.5) < 4 * (variance / n).squareRoot())
    #expect(abs(squares.reduce(0, +) / n - variance) < 4 * (variance / 4 / n).squareRoot())
  }

  @Test("Equal generators draw equal numbers")
  func theSameGeneratorDrawsTheSame() {
    #expect(draws(0.2) == draws(0.2))
  }
}
