import OnePassCore

extension TrainingPlan {
  /// A run with fewer updates gets a notice.
  static let fewUpdates = 300

  /// A notice about a run that makes few updates, with what helps most (results/small-data.md); `nil` for other runs.
  ///
  /// A run that starts from trained weights needs few.
  func noticeOfFewUpdates(_ run: RunConfiguration) -> String? {
    guard updates < Self.fewUpdates, run.model.initialise == nil else { return nil }
    let size = StreamChoice.batchSize(run, streamExamples: streamExamples)
    let fact = "The run will make only \(Figures.count(updates, "update"))"
    guard size >= run.recipe.batchSize else {
      let more = Self.updates(run, streamExamples: streamExamples, batchSize: size)
      return "\(fact); --batch-size \(size) makes \(Figures.count(more)), which helps most for its compute."
    }
    switch run.method {
    case .naive: return "\(fact); --method replay makes more from the same images."
    case .replay where run.step.updates == .joint: return "\(fact); --updates sequential makes more."
    case .replay: return "\(fact); a larger --replay-steps (now \(run.replay.steps)) makes more."
    case .multiEpoch: return "\(fact); a larger --epochs (now \(run.epochs)) makes more."
    }
  }
}
