import OnePassCore

/// When checkpoints are saved during training, and how many are kept.
///
/// ```swift
/// let checkpoints = CheckpointPlan(every: .seconds(600), kept: 2)
/// let result = try TrainingRun(configuration).start(output: "runs/first", checkpoints: checkpoints)
/// ```
public struct CheckpointPlan: Hashable, Sendable {
  /// The checkpoint interval. If `nil`, a checkpoint is saved only when the run is stopped.
  public var every: CheckpointInterval?
  /// The number of checkpoints to keep, at least 1. With 2, the run can resume even if the last one is damaged.
  public var kept: Int
  /// Whether the finished run keeps its state, with the images of its memory, so that it can be extended.
  public var keepsState: Bool

  /// Creates a plan.
  /// - Parameters:
  ///   - every: The checkpoint interval. If `nil`, a checkpoint is saved only when the run is stopped.
  ///   - kept: The number of checkpoints to keep, at least 1.
  ///   - keepsState: Whether the finished run keeps its state, with the images of its memory, so that it can be extended.
  public init(every: CheckpointInterval? = nil, kept: Int = 2, keepsState: Bool = false) {
    precondition(kept >= 1, "kept must be at least 1.")
    self.every = every
    self.kept = kept
    self.keepsState = keepsState
  }
}

/// The interval between checkpoints.
///
/// ```swift
/// let interval = try CheckpointInterval("10m")  // every 600 seconds
/// ```
public enum CheckpointInterval: Hashable, Sendable {
  /// A number of steps, at least 1.
  case steps(Int)
  /// A time in seconds, above 0.
  case seconds(Double)

  /// Parses a number of steps, as `100`, or a time with a unit, as `90s`, `10m` or `2h`.
  /// - Throws: `OnePassError` (`usage`) if the text is neither.
  public init(_ text: String) throws {
    if let steps = Int(text), steps > 0 {
      self = .steps(steps)
    } else if let seconds = TimeSpan.seconds(text) {
      self = .seconds(seconds)
    } else {
      throw OnePassError.valueOutOfRange(
        "--checkpoint-every", mustBe: "a number of steps, such as 100, or a time, such as 90s, 10m or 2h",
        got: text)
    }
  }
}
