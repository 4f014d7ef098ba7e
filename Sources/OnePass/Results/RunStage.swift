/// The progress of a run, from its files.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// if let notice = model.stage.notice(of: "runs/first") { print(notice) }
/// ```
public enum RunStage: Hashable, Sendable {
  /// The run is finished.
  case finished
  /// The run was last saved after `step` of `of` steps; `nil` for a stream without an end. It may be training.
  case unfinished(step: Int, of: Int?, checkpoint: String)

  init(_ state: RunState, at checkpoint: CheckpointFolder) {
    self = .unfinished(
      step: state.loop.position.steps, of: state.loop.position.coolDown?.lastStep ?? state.plan.knownSteps,
      checkpoint: checkpoint.name)
  }

  /// The notice about a run that is not finished; `nil` for a finished one.
  /// - Parameter path: The folder of the run.
  public func notice(of path: String) -> String? {
    guard case .unfinished(let step, let steps, let checkpoint) = self else { return nil }
    return
      "\(path) is unfinished; using its last checkpoint, \(checkpoint), after \(Self.text(step, of: steps))."
  }

  /// `step 6 of 100`, or `step 6` of a run whose length is unknown.
  package static func text(_ step: Int, of steps: Int?) -> String {
    "step \(Figures.count(step))" + (steps.map { " of \(Figures.count($0))" } ?? "")
  }
}
