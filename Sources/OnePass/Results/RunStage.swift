/// The progress of a run, from its files.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// if let notice = model.stage.notice(of: "runs/first") { print(notice) }
/// ```
public enum RunStage: Hashable, Sendable {
  /// The run is finished.
  case finished
  /// The run was last saved after `step` of `of` steps. It may be training.
  case unfinished(step: Int, of: Int, checkpoint: String)

  init(_ state: RunState, at checkpoint: CheckpointFolder) {
    self = .unfinished(
      step: state.loop.position.steps, of: state.loop.position.coolDown?.lastStep ?? state.plan.steps,
      checkpoint: checkpoint.name)
  }

  /// The notice about a run that is not finished; `nil` for a finished one.
  /// - Parameter path: The folder of the run.
  public func notice(of path: String) -> String? {
    guard case .unfinished(let step, let steps, let checkpoint) = self else { return nil }
    return
      "\(path) is unfinished; using its last checkpoint, \(checkpoint), after step \(Figures.count(step)) of "
      + "\(Figures.count(steps))."
  }
}
