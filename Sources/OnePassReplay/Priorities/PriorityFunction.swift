import OnePassCore

/// The priority of an example from its loss and from how far the run has come: a pure function.
///
/// ```swift
/// struct SquaredLoss: PriorityFunction {
///   func priority(loss: Double, progress: RunProgress) -> Double { loss * loss }
/// }
/// ```
public protocol PriorityFunction: Sendable {
  /// The priority, finite and not negative.
  /// - Parameters:
  ///   - loss: The cross-entropy of the example, 0 … ∞, in nats; never NaN.
  ///   - progress: How far the run has come.
  func priority(loss: Double, progress: RunProgress) -> Double
}

/// The priority functions by their names on the command line.
public enum PriorityKind: String, CaseIterable, Sendable, Codable {
  /// Error-prioritised replay, the paper's equation 1.
  case loss
  /// The same priority for every example: uniform replay.
  case uniform

  public func makeFunction(smoothing: SmoothingSchedule) -> any PriorityFunction {
    switch self {
    case .loss: LossPriority(smoothing: smoothing)
    case .uniform: UniformPriority()
    }
  }
}
