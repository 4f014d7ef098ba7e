extension Ledger: StepObserver {
  func observe(_ step: StepRecord, of loop: TrainingLoop) throws { try append(step.arrivals) }
}

/// Measures the predictions for the examples of the first pass, before the update on each.
final class OnlineRecorder: StepObserver {
  var measures = OnlineMeasures()

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    guard step.isFirstPass, let report = step.report else { return }
    for prediction in step.predictions { measures.add(prediction) }
    if TrainingCurve.isDue(report) { measures.addPoint(after: step.step) }
  }
}

/// Records the curve of a run: loss, accuracy, learning rate and memory over the stream.
final class CurveRecorder: StepObserver {
  var curve = TrainingCurve()

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    if let report = step.report { curve.record(report) }
  }
}

/// Reports each step to the observer that was passed to the run.
final class EventReporter: StepObserver {
  private let report: (TrainingEvent) -> Void

  init(_ report: @escaping (TrainingEvent) -> Void) { self.report = report }

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    if let notice = step.notice { report(.notice(notice)) }
    if let stepReport = step.report { report(.step(stepReport)) }
  }
}

/// Checks after the first step of this process that all ranks have the same weights.
///
/// Ranks may have different processors, whose results could differ. Without this check, that would be found after days.
final class AgreementCheck: StepObserver {
  private let learner: Learner
  private var isDone = false

  init(_ learner: Learner) { self.learner = learner }

  func observe(_ step: StepRecord, of loop: TrainingLoop) throws {
    guard !isDone, step.report != nil else { return }
    isDone = true
    try learner.checkAgreement(over: loop.ranks)
  }
}
