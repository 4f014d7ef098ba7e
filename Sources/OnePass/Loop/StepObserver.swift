/// Follows a run step by step: writes the ledger, logs, saves checkpoints, reports progress.
///
/// Observers are called on the thread that trains, in a fixed order, after each step. They read the loop and change nothing
/// of it. An observer that throws ends the run.
protocol StepObserver: AnyObject {
  func observe(_ step: StepRecord, of loop: TrainingLoop) throws
}

/// What happened in a step.
struct StepRecord {
  /// Steps that are done, from 1.
  let step: Int
  /// Everything that arrived on any rank, broken images included, in the order of the stream.
  let arrivals: [Arrival]
  /// `nil` if nothing was trained: none of the images could be decoded, or nothing arrived for now.
  let report: StepReport?
  /// Incoming examples that were classified correctly before they were trained on.
  let correct: Int
  /// Whether these examples were seen for the first time.
  let isFirstPass: Bool
  /// What the processes were asked to do.
  let requests: StepRequests
  /// What the user should know of how the run continues.
  let notice: String?
}
