/// The progress of a run: step T of T_max.
///
/// ```swift
/// let progress = RunProgress(step: 250, of: 1_000)
/// print(progress.fraction)  // 0.25
/// ```
public struct RunProgress: Hashable, Sendable {
  /// T, the number of completed steps.
  public let step: Int
  /// T_max, the number of steps in the whole run.
  public let steps: Int

  /// T / T_max, 0 … 1.
  public var fraction: Double { Double(step) / Double(steps) }

  /// Creates the progress after `step` of `total` steps.
  /// - Precondition: `0 <= step <= total` and `total > 0`.
  public init(step: Int, of total: Int) {
    precondition(total > 0 && step >= 0 && step <= total, "step must be in 0 ... total, and total above 0.")
    self.step = step
    steps = total
  }
}
