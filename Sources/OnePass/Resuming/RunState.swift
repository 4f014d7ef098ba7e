import OnePassCore

/// All that a run needs to resume exactly where it was, beside weights, momentum and the contents of its memory: the states of
/// its parts.
///
/// Generators are not in it: every random choice is a function of the seed and of its position.
struct RunState: Codable {
  /// The form of checkpoints, which changes when an older program could not resume from them.
  static let currentFormat = 2

  var format = currentFormat
  /// The version of OnePass that wrote it.
  var version: String
  /// What was asked for, before the program resolved anything.
  var configuration: RunConfiguration
  var plan: TrainingPlan
  var card: ModelCard
  var loop: TrainingLoop.State
  var learner: Learner.State
  var online: OnlineAccuracy
  var curve: TrainingCurve
  var log: RunLog.State
  /// Which memory directory is this run's, where it has one.
  var memoryRun: String?
  /// How much of the ledger counts, where there is one.
  var ledger: LedgerMark?

  /// The examples that were taken from the stream.
  var examplesTaken: Int { loop.incoming.tally.taken }
}

/// What every checkpoint says of itself, whatever its form.
struct CheckpointOrigin: Decodable {
  /// Missing in the first form.
  var format: Int?
  var version: String
}
