import OnePassData

/// Reports once that images of the stream are stored rotated, in runs that do not turn them.
final class RotationNotice: StepObserver {
  private let report: (TrainingEvent) -> Void
  /// Whether no notice is due any more.
  private var isDone: Bool
  private var isFirstStep = true

  /// - Parameters:
  ///   - orientation: Whether the run turns such images.
  ///   - report: Receives the notice.
  init(_ orientation: OrientationPolicy, _ report: @escaping (TrainingEvent) -> Void) {
    self.report = report
    isDone = orientation == .apply
  }

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    defer { isFirstStep = false }
    let tally = loop.incoming.tally
    guard !isDone, tally.rotated > 0 else { return }
    isDone = true
    // Before a resumption the notice was already reported.
    let isNew = !isFirstStep || tally.rotated == step.arrivals.count { $0.isRotated }
    guard isNew else { return }
    report(
      .notice(
        "\(tally.rotated) of the first \(tally.taken) images are stored rotated (Exif orientation); "
          + "pass --orientation apply to turn them."))
  }
}
