/// How the replay steps are spread over the run. The total, and so the compute, is the same for each.
public enum ReplayCourse: String, CaseIterable, Sendable, Codable {
  /// k mini-batches with every incoming one, as in the paper. The default.
  case constant
  /// From none to 2k, in proportion to what has passed: few while the network is cold and the memory holds little,
  /// many at the end.
  case rising

  /// The replayed mini-batches of a step.
  ///
  /// There is nothing to replay in the first step; over all others they sum to k a step, exactly.
  /// - Parameters:
  ///   - step: 0 ..< `steps`.
  ///   - steps: T_max, the incoming mini-batches of the run.
  ///   - average: k.
  public func replays(at step: Int, of steps: Int, average: Int) -> Int {
    precondition(step >= 0 && step < steps, "A step is one of the run's.")
    guard step > 0 else { return 0 }
    switch self {
    case .constant: return average
    case .rising:
      // Of T − 1 steps, the first s together replay the share (s / (T − 1))² of all.
      let count = steps - 1
      func first(_ steps: Int) -> Int {
        let (high, low) = (average * steps).multipliedFullWidth(by: steps)
        return count.dividingFullWidth((high, low)).quotient
      }
      return first(step) - first(step - 1)
    }
  }
}
