extension Ledger: StepObserver {
  func observe(_ step: StepRecord, of loop: TrainingLoop) throws { try append(step.arrivals) }
}

/// Measures the accuracy along the first pass, of each example before it is trained on.
final class OnlineAccuracyRecorder: StepObserver {
  var accuracy = OnlineAccuracy()

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    guard step.isFirstPass, let report = step.report else { return }
    accuracy.record(correct: step.correct, of: report.examples)
  }
}

/// Keeps the curve of a run: loss, accuracy, learning rate and memory along the stream.
final class CurveRecorder: StepObserver {
  var curve = TrainingCurve()

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    if let report = step.report { curve.record(report) }
  }
}

/// Reports each step to whoever started the run.
final class EventReporter: StepObserver {
  private let report: (TrainingEvent) -> Void

  init(_ report: @escaping (TrainingEvent) -> Void) { self.report = report }

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    if let notice = step.notice { report(.notice(notice)) }
    if let stepReport = step.report { report(.step(stepReport)) }
  }
}

/// Makes sure, after the first step of this process, that all ranks have the same weights: the same updates from the same
/// beginning, on processors that need not be alike. Otherwise that would be found after days.
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
