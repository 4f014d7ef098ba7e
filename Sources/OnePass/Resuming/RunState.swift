import OnePassCore
import OnePassData

/// The states of all parts of a run, from which it resumes exactly.
///
/// Weights, momentum and the contents of the memory are in other files. Random generators have no state here, because all random
/// choices are functions of the seed and the position.
struct RunState: Codable {
  /// The version of the checkpoint format. It changes when an older version cannot resume from new checkpoints.
  static let currentFormat = 3
  /// The name of its file in a checkpoint.
  static let fileName = "state.json"

  var format = currentFormat
  /// The version of OnePass that wrote the checkpoint.
  var version: String
  /// The options as passed, without values found in the data, but with the model and the mini-batch size that the stream chose.
  var configuration: RunConfiguration
  var plan: TrainingPlan
  var card: ModelCard
  var loop: TrainingLoop.State
  var learner: Learner.State
  var online: OnlineMeasures
  var curve: TrainingCurve
  /// `nil` without `--drift`.
  var drift: DriftWatch.State?
  var log: RunLog.State
  /// The identifier of the memory directory; `nil` without one.
  var memoryRun: String?
  /// The valid part of the ledger; `nil` without one.
  var ledger: LedgerMark?
  /// The listing of the data; `nil` without one, and in checkpoints of earlier versions.
  var listing: DataListing?
  /// The earlier parts of the stream, if it continued with another source.
  var continuation: Continuation?
  /// The place in a broker's stream; `nil` with other data.
  var mark: StreamMark?
  /// The number of CPU compute threads, on which the last bits of sums depend; `nil` in checkpoints of earlier versions.
  var threads: Int?
  /// The time on processors; `nil` in checkpoints of earlier versions.
  var processor: ProcessorTime?

  /// The number of examples taken from the stream.
  var examplesTaken: Int { loop.incoming.tally.taken }
}

/// The format and version of a checkpoint, which checkpoints of any format contain.
struct CheckpointOrigin: Decodable {
  /// `nil` in the first format.
  var format: Int?
  var version: String
}
