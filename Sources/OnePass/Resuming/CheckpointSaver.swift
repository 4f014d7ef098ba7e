import OnePassCore
import OnePassData
import OnePassTorch

/// Saves a run after the steps at which that is due, and stops it when it is asked to.
final class CheckpointSaver {
  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  private let card: ModelCard
  private let learner: Learner
  private let shuffleBuffer: ShuffleBuffer?
  private let folder: UnfinishedRun?
  private let interval: CheckpointInterval?
  private let stop: StopRequest?
  private let output: String?
  private let clock = ContinuousClock()
  private var lastSaved: ContinuousClock.Instant

  init(
    configuration: RunConfiguration, plan: TrainingPlan, card: ModelCard, learner: Learner,
    shuffleBuffer: ShuffleBuffer?, folder: UnfinishedRun?, interval: CheckpointInterval?, stop: StopRequest?,
    output: String?
  ) {
    self.configuration = configuration
    self.plan = plan
    self.card = card
    self.learner = learner
    self.shuffleBuffer = shuffleBuffer
    self.folder = folder
    self.interval = interval
    self.stop = stop
    self.output = output
    lastSaved = clock.now
  }

  /// Saves the run if that is due.
  /// - Throws: `RunStopped` if the run was asked to stop; `OnePassError` (`io`) if it cannot be saved.
  func afterStep(_ trainer: Trainer) throws {
    shuffleBuffer?.settle(upTo: trainer.tally.taken)
    try stopIfAsked(trainer)
    // After the last step the run is all but finished; it is saved whole.
    guard let folder, trainer.stepsDone < plan.steps, isDue(after: trainer.stepsDone) else { return }
    try save(trainer, in: folder)
    lastSaved = clock.now
  }

  /// - Throws: `RunStopped`, with the run saved, if it was asked to stop; `OnePassError` (`io`) if it cannot be saved.
  func stopIfAsked(_ trainer: Trainer) throws {
    guard stop?.isStopping ?? false else { return }
    if let folder { try save(trainer, in: folder) }
    throw RunStopped(
      step: trainer.stepsDone, steps: plan.steps, output: folder == nil ? nil : output)
  }

  /// Saves a run that cannot go on for a reason outside of it, if that is possible.
  /// - Returns: The reason, with what can be done.
  func rescue(_ trainer: Trainer, after error: any Error) -> any Error {
    guard let folder, let error = error as? OnePassError, (try? save(trainer, in: folder)) != nil else {
      return error
    }
    return OnePassError(
      error.code, "\(error.message) What was trained so far is saved: mend it, and go on with --resume.",
      cause: error)
  }

  private func save(_ trainer: Trainer, in folder: UnfinishedRun) throws {
    shuffleBuffer?.settle(upTo: trainer.tally.taken)
    try folder.save(
      RunState(
        configuration: configuration.withoutSecrets, plan: plan, card: card, steps: trainer.stepsDone,
        updates: learner.updatesMade,
        examplesTrained: learner.examplesTrained, tally: trainer.tally.counts, online: trainer.online,
        curve: trainer.curve, memoryRun: trainer.memoryRun,
        ledger: try trainer.ledger?.makeDurable(), arrivals: trainer.arrivals, seconds: trainer.seconds,
        imageWaitSeconds: trainer.imageWaitSeconds,
        version: onePassVersion),
      weights: learner.model.stateDictionary, optimiser: learner.optimiser.stateDictionary,
      memory: trainer.memory, shuffleBuffer: shuffleBuffer?.snapshot)
  }

  private func isDue(after steps: Int) -> Bool {
    switch interval {
    case .steps(let count): steps % count == 0
    case .seconds(let seconds): clock.now - lastSaved >= .seconds(seconds)
    case nil: false
    }
  }
}
