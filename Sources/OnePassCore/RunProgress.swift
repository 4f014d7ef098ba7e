/// How far a run has come: the current step T of T_max, as a fraction from 0 to 1.
public struct RunProgress: Hashable, Sendable {
  /// T / T_max, 0 … 1.
  public let fraction: Double

  /// - Precondition: `0 <= step <= total` and `total > 0`.
  public init(step: Int, of total: Int) {
    precondition(
      total > 0 && step >= 0 && step <= total, "A run's progress lies between its start and its end.")
    fraction = Double(step) / Double(total)
  }
}
