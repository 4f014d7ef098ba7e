/// How far a run has come: the current step T of T_max, as a fraction from 0 to 1.
public struct RunProgress: Hashable, Sendable {
  /// T, the steps that are done.
  public let step: Int
  /// T_max, the steps of the whole run.
  public let steps: Int

  /// T / T_max, 0 … 1.
  public var fraction: Double { Double(step) / Double(steps) }

  /// - Precondition: `0 <= step <= total` and `total > 0`.
  public init(step: Int, of total: Int) {
    precondition(
      total > 0 && step >= 0 && step <= total, "A run's progress lies between its start and its end.")
    self.step = step
    steps = total
  }
}
