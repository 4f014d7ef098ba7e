/// What a run tells its observer while it goes on.
public enum TrainingEvent: Sendable {
  /// Something that the user should know and that does not stop the run.
  case notice(String)
  case started(TrainingPlan)
  /// After each step.
  case step(StepReport)
  /// After each mini-batch of the evaluation; `total` where it is known.
  case evaluated(examples: Int, total: Int?)
}

/// The state of a run after a step.
public struct StepReport: Sendable, Codable, Hashable {
  /// Steps done, 1 … `steps`.
  public var step: Int
  /// Those of the whole run: as planned, or fewer once it was asked to cool down.
  public var steps: Int
  /// Examples taken from the stream so far.
  public var examplesSeen: Int
  /// Examples back-propagated so far.
  public var examplesTrained: Int
  public var updates: Int
  /// Incoming examples that this step trained on.
  public var examples: Int
  /// The mean loss of the incoming mini-batch before it was trained on, in nats.
  public var loss: Double
  /// The share of the incoming mini-batch that was classified right before it was trained on, 0 … 1.
  public var accuracy: Double
  /// That of the step's last update.
  public var learningRate: Double
  /// The priority's α.
  public var alpha: Double
  public var memoryItems: Int
  public var memoryBytes: Int
  /// How full the memory is, 0 … 1.
  public var memoryFill: Double
  /// Seconds of training so far.
  public var seconds: Double
}
