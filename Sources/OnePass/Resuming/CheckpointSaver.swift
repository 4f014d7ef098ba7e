import OnePassCore
import OnePassTorch

/// Saves a run after the steps at which that is due, and stops it when it is asked to.
final class CheckpointSaver {
  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  private let card: ModelCard
  private let learner: Learner
  private let folder: UnfinishedRun?
  private let interval: CheckpointInterval?
  private let stop: StopRequest?
  private let output: String?
  private let clock = ContinuousClock()
  private var lastSaved: ContinuousClock.Instant

  init(
    configuration: RunConfiguration, plan: TrainingPlan, card: ModelCard, learner: Learner,
    folder: UnfinishedRun?,
    interval: CheckpointInterval?, stop: StopRequest?, output: String?
  ) {
    self.configuration = configuration
    self.plan = plan
    self.card = card
    self.learner = learner
    self.folder = folder
    self.interval = interval
    self.stop = stop
    self.output = output
    lastSaved = clock.now
  }

  /// - Throws: `RunStopped` if the run was asked to stop; `OnePassError` (`io`) if it cannot be saved.
  func afterStep(_ trainer: Trainer) throws {
    let isStopping = stop?.isStopping ?? false
    // After the last step the run is all but finished; it is saved whole.
    guard trainer.stepsDone < plan.steps else { return }
    guard let folder else {
      if isStopping { throw RunStopped(step: trainer.stepsDone, steps: plan.steps, output: nil) }
      return
    }
    guard isStopping || isDue(after: trainer.stepsDone) else { return }
    try folder.save(
      RunState(
        configuration: configuration, plan: plan, card: card, steps: trainer.stepsDone,
        updates: learner.updatesMade,
        examplesTrained: learner.examplesTrained, tally: trainer.tally.counts, online: trainer.online,
        curve: trainer.curve, memoryRun: trainer.memoryRun,
        ledger: try trainer.ledger?.makeDurable(), arrivals: trainer.arrivals, seconds: trainer.seconds,
        version: onePassVersion),
      weights: learner.model.stateDictionary, optimiser: learner.optimiser.stateDictionary,
      memory: trainer.memory)
    lastSaved = clock.now
    if isStopping { throw RunStopped(step: trainer.stepsDone, steps: plan.steps, output: output) }
  }

  private func isDue(after steps: Int) -> Bool {
    switch interval {
    case .steps(let count): steps % count == 0
    case .seconds(let seconds): clock.now - lastSaved >= .seconds(seconds)
    case nil: false
    }
  }
}
