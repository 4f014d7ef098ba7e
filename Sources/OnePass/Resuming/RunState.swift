import OnePassCore
import OnePassData
import OnePassReplay

/// All that a run needs to go on exactly where it was, beside weights, momentum and memory.
///
/// Generators are not in it: every random choice is a function of the seed and of its position.
struct RunState: Codable {
  /// What was asked for, before the program resolved anything.
  var configuration: RunConfiguration
  var plan: TrainingPlan
  var card: ModelCard
  /// Steps whose turn is over.
  var steps: Int
  var updates: Int
  var examplesTrained: Int
  /// The same by the side of their images; older runs did not tell.
  var trainedSides: [RunResult.Compute.Side]?
  var tally: StreamTally.Counts
  var online: OnlineAccuracy
  var curve: TrainingCurve
  /// What the logs need to go on; older runs had none.
  var log: RunLog.State?
  /// What tells the memory directory of this run from others, where it has one.
  var memoryRun: String?
  /// How much of the ledger counts, where there is one.
  var ledger: LedgerMark?
  /// When the examples came.
  var arrivals: ArrivalLog?
  /// Seconds of training so far.
  var seconds: Double
  /// Of these, the seconds of waiting for images.
  var imageWaitSeconds: Double?
  /// The cool-down that was asked for, once it was.
  var coolDown: CoolDown?
  /// The version of OnePass that wrote it.
  var version: String
}
