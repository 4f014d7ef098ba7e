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
  private let log: RunLog
  private let output: String?
  private let ranks: Ranks
  private let clock = ContinuousClock()
  private var lastSaved: ContinuousClock.Instant

  init(
    configuration: RunConfiguration, plan: TrainingPlan, card: ModelCard, learner: Learner,
    shuffleBuffer: ShuffleBuffer?, folder: UnfinishedRun?, interval: CheckpointInterval?, stop: StopRequest?,
    output: String?, ranks: Ranks, log: RunLog
  ) {
    self.configuration = configuration
    self.plan = plan
    self.card = card
    self.learner = learner
    self.shuffleBuffer = shuffleBuffer
    self.folder = folder
    self.interval = interval
    self.stop = stop
    self.log = log
    self.output = output
    self.ranks = ranks
    lastSaved = clock.now
  }

  /// What this process has to say of a step that is about to end.
  func requests(after steps: Int) -> StepRequests {
    StepRequests(
      stop: stop?.isStopping ?? false, coolDown: stop?.isCoolingDown ?? false,
      // After the last step the run is all but finished; it is saved whole.
      save: folder != nil && steps < plan.steps && isDue(after: steps))
  }

  /// Saves the run if that is due.
  /// - Parameters:
  ///   - trainer: Between two steps.
  ///   - isStopping: Whether any rank was asked to stop.
  ///   - isDue: Whether the first rank finds a checkpoint due.
  /// - Throws: `RunStopped` if the run was asked to stop; `OnePassError` (`io`) if it cannot be saved.
  func afterStep(_ trainer: Trainer, isStopping: Bool, isDue: Bool) throws {
    shuffleBuffer?.settle(upTo: trainer.tally.taken)
    if isStopping { throw try stopped(trainer) }
    guard isDue else { return }
    try save(trainer)
    lastSaved = clock.now
  }

  /// - Throws: `RunStopped`, with the run saved, if any rank was asked to stop; `OnePassError` (`io`) if it cannot be saved.
  func stopIfAsked(_ trainer: Trainer) throws {
    let asked = stop?.isStopping ?? false
    if try ranks.sum([asked ? 1 : 0])[0] > 0 { throw try stopped(trainer) }
  }

  private func stopped(_ trainer: Trainer) throws -> RunStopped {
    let isSaved = try ranks.sum([folder == nil ? 0 : 1])[0] > 0
    if isSaved { try save(trainer) }
    log.outcome = .stopped
    return RunStopped(step: trainer.stepsDone, steps: trainer.end.steps, output: isSaved ? output : nil)
  }

  /// Saves a run that cannot go on for a reason outside of it, if that is possible.
  /// - Returns: The reason, with what can be done.
  func rescue(_ trainer: Trainer, after error: any Error) -> any Error {
    // Others would have to take part, and are somewhere else.
    guard ranks.count == 1, folder != nil, let error = error as? OnePassError, (try? save(trainer)) != nil
    else { return error }
    return OnePassError(
      error.code, "\(error.message) What was trained so far is saved: mend it, and go on with --resume.",
      cause: error)
  }

  /// Saves the run, all ranks together: the first one writes, the others send it what it does not have.
  private func save(_ trainer: Trainer) throws {
    guard let folder else {
      try trainer.sharedImages?.collect { _ in }
      return try ranks.barrier()
    }
    shuffleBuffer?.settle(upTo: trainer.tally.taken)
    log.makeDurable()
    try folder.save(
      RunState(
        configuration: configuration.withoutSecrets, plan: plan, card: card, steps: trainer.stepsDone,
        updates: learner.updatesMade,
        examplesTrained: trainer.trained.count, trainedSides: trainer.trained.sides,
        tally: trainer.tally.counts, online: trainer.online,
        curve: trainer.curve, log: log.state, memoryRun: trainer.memoryRun,
        ledger: try trainer.ledger?.makeDurable(), arrivals: trainer.arrivals, seconds: trainer.seconds,
        imageWaitSeconds: trainer.imageWaitSeconds, coolDown: trainer.end.coolDown,
        version: onePassVersion),
      weights: learner.model.stateDictionary, optimiser: learner.optimiserState,
      memory: trainer.memory, shared: trainer.sharedImages, shuffleBuffer: shuffleBuffer?.snapshot)
    try ranks.barrier()
  }

  private func isDue(after steps: Int) -> Bool {
    switch interval {
    case .steps(let count): steps % count == 0
    case .seconds(let seconds): clock.now - lastSaved >= .seconds(seconds)
    case nil: false
    }
  }
}
