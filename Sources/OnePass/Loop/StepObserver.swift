/// An action after each step: writing the ledger, logging, saving checkpoints, reporting progress.
///
/// Observers are called on the training thread, in a fixed order. They must not change the loop. An observer that throws ends
/// the run.
protocol StepObserver: AnyObject {
  func observe(_ step: StepRecord, of loop: TrainingLoop) throws
}

/// The record of a step, for observers.
struct StepRecord {
  /// Completed steps, from 1.
  let step: Int
  /// All arrivals on all ranks, including broken images, in the order of the stream.
  let arrivals: [Arrival]
  /// `nil` if nothing was trained: no image could be decoded, or no example has arrived yet.
  var report: StepReport?
  /// The predictions of the incoming examples that could be decoded, in the order of the stream.
  let predictions: [OnlinePrediction]
  /// Whether these examples belong to the first pass.
  let isFirstPass: Bool
  /// The requests of all processes.
  let requests: StepRequests
  /// A notice for the user.
  let notice: String?
  /// The mean loss of the replayed examples, in nats; `nil` without any.
  var replayLoss: Double?

  /// The record of no step.
  static func none(_ step: Int) -> StepRecord {
    StepRecord(
      step: step, arrivals: [], report: nil, predictions: [], isFirstPass: true, requests: StepRequests(),
      notice: nil)
  }
}
