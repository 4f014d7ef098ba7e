import OnePassCore
import OnePassData

/// The records of a run's steps besides the state of the loop: ledger, curve, online accuracy, drift and logs.
struct RunRecords {
  /// The ledger, on the first rank; `nil` without an output folder.
  let ledger: Ledger?
  let curve = CurveRecorder()
  let online = OnlineRecorder()
  /// `nil` without `--drift`.
  let drift: DriftWatch?
  let processor: ProcessorTimeRecorder
  /// The messages of a broker that held no example; `nil` with other data, and without an output folder.
  let rejected: RejectedMessages?
  let log: RunLog

  /// The observers in calling order, without the log, which is called after the agreement check of the ranks.
  /// - Parameters:
  ///   - orientation: Whether the run turns rotated images.
  ///   - observe: Receives the events.
  func observers(
    _ orientation: OrientationPolicy, reporting observe: @escaping (TrainingEvent) -> Void
  ) -> [any StepObserver] {
    let first: [any StepObserver] = ledger.map { [$0] } ?? []
    let watch: [any StepObserver] = drift.map { [$0] } ?? []
    return first + watch + [
      online, curve, EventReporter(observe), RotationNotice(orientation, observe), processor,
    ]
  }

  func restore(_ state: RunState) {
    (online.measures, curve.curve) = (state.online, state.curve)
    drift?.restore(state.drift)
    processor.restore(state.processor)
  }

  /// Whether the ledger has all examples that the loop has taken.
  func isComplete(for loop: TrainingLoop) -> Bool {
    ledger.map { $0.examples == loop.incoming.tally.taken } ?? true
  }
}
