/// How likely the biased reservoir takes in an example: p(n, m) = min(1, β·m/n) (Hu et al. 2021, section 3.1).
///
/// The paper leaves β·m/n unclamped; while n < β·m it exceeds 1.
public struct InclusionProbability: Hashable, Sendable {
  /// β: 1 gives the classical uniform reservoir (Vitter 1985); more favours fresh examples. The paper's is 1.5.
  public let recencyBias: Double

  /// - Precondition: `recencyBias > 0`.
  public init(recencyBias: Double = 1.5) {
    precondition(recencyBias > 0 && recencyBias.isFinite, "The reservoir's bias is a positive number.")
    self.recencyBias = recencyBias
  }

  /// - Parameters:
  ///   - examplesSeen: n, the number of examples offered so far, this one included.
  ///   - capacity: m, the number of items that the memory holds.
  public func callAsFunction(examplesSeen: Int, capacity: Int) -> Double {
    min(1, recencyBias * Double(capacity) / Double(examplesSeen))
  }
}
