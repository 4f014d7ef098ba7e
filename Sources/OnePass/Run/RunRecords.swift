import OnePassCore

/// What a run writes down of its steps, apart from the loop's own state: ledger, curve, online accuracy, logs.
struct RunRecords {
  /// The first rank notes each example once; `nil` where there is no place for it.
  let ledger: Ledger?
  let curve = CurveRecorder()
  let online = OnlineAccuracyRecorder()
  let log: RunLog

  /// All but the log, which comes after what ranks agree on; in the order in which they see a step.
  func observers(reporting observe: @escaping (TrainingEvent) -> Void) -> [any StepObserver] {
    let first: [any StepObserver] = ledger.map { [$0] } ?? []
    return first + [online, curve, EventReporter(observe)]
  }

  func restore(_ state: RunState) { (online.accuracy, curve.curve) = (state.online, state.curve) }

  /// Whether the ledger has everything that the loop has taken.
  func isComplete(for loop: TrainingLoop) -> Bool {
    ledger.map { $0.examples == loop.incoming.tally.taken } ?? true
  }
}
