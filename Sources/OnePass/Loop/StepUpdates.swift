import OnePassCore

/// Step 4: trains on the incoming mini-batch and on the replayed ones.
///
/// Source: Hu et al. 2021, section 3.1. The paper has both "together with the incoming mini-batch" and "k + 1 back-propagation
/// operations"; ``UpdateMode`` selects one.
struct StepUpdates {
  let learner: any BatchLearner
  let mode: UpdateMode
  /// The peak learning rate, for the error message of a run that diverges.
  let peakLearningRate: Double

  /// The forward passes of a step, each made before the update on its mini-batch.
  struct Passes {
    let incoming: any ForwardPass
    let replays: [any ForwardPass]
  }

  func train(_ incoming: IncomingBatch, _ replays: [ReplayBatch]) throws -> Passes {
    let count = 1 + replays.count
    let first = try train(incoming.weighted, part: 0, of: count)
    let others = try replays.enumerated().map { try train($1.weighted(), part: 1 + $0, of: count) }
    if mode == .joint { try learner.update() }
    return Passes(incoming: first, replays: others)
  }

  /// - Parameter part: The index of the mini-batch among the `count` of this step.
  private func train(_ batch: WeightedBatch, part: Int, of count: Int) throws -> any ForwardPass {
    switch mode {
    case .sequential: try learner.train(batch)
    case .joint: try learner.accumulate(batch, share: 1 / Double(count), isLast: part == count - 1)
    }
  }

  /// - Throws: `OnePassError` (`engine`) if a loss is not a finite number.
  func checkConvergence(of outcome: StepOutcome, step: Int) throws {
    guard !(outcome.losses + outcome.replays.flatMap(\.losses)).allSatisfy(\.isFinite) else { return }
    throw OnePassError.trainingDiverged(step: step, learningRate: peakLearningRate)
  }
}
