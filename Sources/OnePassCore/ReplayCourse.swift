/// How replay steps are distributed over a run; the total, and so the compute, is the same for every case.
///
/// ```swift
/// let late = ReplayCourse.rising.replays(at: 9_999, of: 10_000, average: 8)  // 16
/// ```
public enum ReplayCourse: String, CaseIterable, Sendable, Codable {
  /// k replay steps per incoming batch (Hu et al. 2021). The default.
  case constant
  /// From 0 to 2k replay steps per incoming batch, growing linearly with the progress of the run.
  ///
  /// There are few while the network is untrained and the memory holds little, and many at the end.
  case rising

  /// Returns the number of replay steps at a step of the run.
  ///
  /// The first step has none, since the memory is empty. All other steps have exactly k on average.
  /// - Parameters:
  ///   - step: The index of the step, 0 ..< `steps`.
  ///   - steps: T_max, the number of incoming batches in the run.
  ///   - average: k, 0 or more.
  public func replays(at step: Int, of steps: Int, average: Int) -> Int {
    precondition(step >= 0 && step < steps, "step must be in 0 ..< steps.")
    guard step > 0 else { return 0 }
    switch self {
    case .constant: return average
    case .rising:
      // The first s of the T − 1 steps with replay account for the fraction (s / (T − 1))² of all replay steps.
      let count = steps - 1
      func first(_ steps: Int) -> Int {
        let (high, low) = (average * steps).multipliedFullWidth(by: steps)
        return count.dividingFullWidth((high, low)).quotient
      }
      return first(step) - first(step - 1)
    }
  }
}
