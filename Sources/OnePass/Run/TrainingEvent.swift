/// An event of a run, reported to its observer.
///
/// ```swift
/// let result = try TrainingRun(configuration).start { event in
///   if case .step(let report) = event { print(report.step, report.loss) }
/// }
/// ```
public enum TrainingEvent: Sendable {
  /// A message for the user that does not stop the run.
  case notice(String)
  /// The training starts, or continues.
  case started(TrainingPlan)
  /// The training continues after a checkpoint; follows `started`.
  case resumed(stepsDone: Int, examplesSeen: Int)
  /// A step was trained.
  case step(StepReport)
  /// The rate of errors has changed; with `--drift`.
  case drift(DriftAlarm)
  /// A checkpoint was saved.
  case checkpoint(stepsDone: Int, seconds: Double)
  /// A mini-batch was evaluated; `total` is `nil` if the number of examples is unknown.
  case evaluated(examples: Int, total: Int?)
  /// The model was evaluated.
  case measured(RunResult.Accuracy, stepsDone: Int)
}

/// The state of a run after a step.
///
/// ```swift
/// let result = try TrainingRun(configuration).start { event in
///   guard case .step(let report) = event else { return }
///   print("\(report.step)/\(report.steps): loss \(report.loss), memory \(report.memoryFill * 100) % full")
/// }
/// ```
public struct StepReport: Sendable, Codable, Hashable {
  /// The number of steps done, 1 … `steps`.
  public var step: Int
  /// The number of steps of the whole run: as planned, or fewer after a request to cool down. For a stream without an end it is a
  /// number that no run reaches (see ``TrainingPlan/isEndless``).
  public var steps: Int
  /// The number of examples taken from the stream so far.
  public var examplesSeen: Int
  /// The number of examples back-propagated so far, replays included.
  public var examplesTrained: Int
  /// The number of optimiser updates so far.
  public var updates: Int
  /// The number of incoming examples that this step trained on.
  public var examples: Int
  /// The mean loss of the incoming mini-batch before the update on it, in nats.
  public var loss: Double
  /// The accuracy on the incoming mini-batch before the update on it, 0 … 1.
  public var accuracy: Double
  /// The learning rate of the last update of the step.
  public var learningRate: Double
  /// The smoothing factor α of priorities, 0 … 1.
  public var alpha: Double
  /// The number of items in the memory.
  public var memoryItems: Int
  /// The size of the memory in bytes, with its index.
  public var memoryBytes: Int
  /// The used share of the memory's capacity, 0 … 1.
  public var memoryFill: Double
  /// The duration of the training so far, in seconds.
  public var seconds: Double
  /// The number of messages of a broker's stream that are not taken; `nil` with other data, and if it is unknown.
  public var lag: Int?
}
