/// The probability with which the biased reservoir includes an example: p(n, m) = min(1, β·m/n).
///
/// The paper does not clamp β·m/n, which exceeds 1 while n < β·m.
///
/// ```swift
/// let inclusion = InclusionProbability(recencyBias: 1.5)
/// print(inclusion(examplesSeen: 60_000, capacity: 6_000))  // 0.15
/// ```
///
/// Source: Hu et al. 2021, section 3.1.
public struct InclusionProbability: Hashable, Sendable {
  /// β. 1 is the classical uniform reservoir (Vitter 1985); larger values favour recent examples. The paper uses 1.5.
  public let recencyBias: Double

  /// Creates the probability from β.
  /// - Precondition: `recencyBias > 0`.
  public init(recencyBias: Double = 1.5) {
    precondition(recencyBias > 0 && recencyBias.isFinite, "The recency bias must be positive.")
    self.recencyBias = recencyBias
  }

  /// Returns p(n, m), 0 … 1.
  /// - Parameters:
  ///   - examplesSeen: n, the number of examples offered so far, including this one.
  ///   - capacity: m, the number of items in the full memory.
  public func callAsFunction(examplesSeen: Int, capacity: Int) -> Double {
    min(1, recencyBias * Double(capacity) / Double(examplesSeen))
  }
}
