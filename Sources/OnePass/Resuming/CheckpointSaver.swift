import OnePassCore
import OnePassData
import OnePassTorch

/// Saves checkpoints of a run at intervals, and stops the run on request.
final class CheckpointSaver: StepObserver {
  private let assembly: RunAssembly
  private let learner: Learner
  private let records: RunRecords
  private let session: RunSession
  private let stream: RunStream
  private let continuation: Continuation?
  /// Computed for the first checkpoint, since a run without any needs none.
  private lazy var listing = DataListing(of: stream.source)
  private let interval: CheckpointInterval?
  private let keepsState: Bool
  private let stop: StopRequest?
  private let observe: (TrainingEvent) -> Void
  private let clock = ContinuousClock()
  private var lastSaved: ContinuousClock.Instant
  private var stepsSaved: Int?
  private var isStateKept = false
  private var isProblemReported = false

  /// - Parameters:
  ///   - prepared: The stream of the run.
  ///   - checkpoints: When the run is saved, and whether its last state is kept.
  ///   - stop: Requests to stop or to cool down.
  ///   - observe: Receives an event for each checkpoint.
  init(
    _ assembly: RunAssembly, _ learner: Learner, _ records: RunRecords, in session: RunSession,
    _ prepared: StreamPreparation, _ checkpoints: CheckpointPlan, stop: StopRequest?,
    observe: @escaping (TrainingEvent) -> Void
  ) {
    self.assembly = assembly
    self.learner = learner
    self.records = records
    self.session = session
    (stream, continuation) = (prepared.stream, prepared.continuation)
    (interval, keepsState) = (checkpoints.every, checkpoints.keepsState)
    self.stop = stop
    self.observe = observe
    lastSaved = clock.now
  }

  /// The requests to this process at the end of a step.
  func requests(after steps: Int) -> StepRequests {
    let isRequested = stop?.takeCheckpoint() ?? false
    return StepRequests(
      stop: stop?.isStopping ?? false, coolDown: stop?.isCoolingDown ?? false,
      // After the last step there is no checkpoint, because the finished run is saved.
      save: session.unfinished != nil && steps < assembly.plan.steps && (isRequested || isDue(after: steps)))
  }

  private func isDue(after steps: Int) -> Bool {
    switch interval {
    case .steps(let count): steps % count == 0 && steps != stepsSaved
    // While the stream is silent, nothing changes.
    case .seconds(let seconds): clock.now - lastSaved >= .seconds(seconds) && steps != stepsSaved
    case nil: false
    }
  }

  /// Saves the run if a checkpoint is due.
  /// - Throws: `RunStopped` if a stop was requested on any rank; `OnePassError` (`io`) if the run cannot be saved.
  func observe(_ step: StepRecord, of loop: TrainingLoop) throws {
    try settle(loop)
    if step.requests.stop { throw try stopped(loop) }
    guard step.requests.save else { return }
    try save(loop)
    (lastSaved, stepsSaved) = (clock.now, step.step)
  }

  /// Saves and stops the run if a stop was requested on any rank.
  /// - Throws: `RunStopped` after it is saved; `OnePassError` (`io`) if it cannot be saved.
  func stopIfRequested(_ loop: TrainingLoop) throws {
    if try isStopRequested(loop) { throw try stopped(loop) }
  }

  /// Whether a stop was requested on any rank; the same on every rank.
  func isStopRequested(_ loop: TrainingLoop) throws -> Bool {
    let isRequested = stop?.isStopping ?? false
    return try loop.ranks.sum([isRequested ? 1 : 0])[0] > 0
  }

  private func stopped(_ loop: TrainingLoop) throws -> RunStopped {
    let isSaved = try loop.ranks.sum([session.unfinished == nil ? 0 : 1])[0] > 0
    if isSaved, !isStateKept { try save(loop) }
    records.log.outcome = .stopped
    return RunStopped(
      step: loop.position.steps, steps: loop.position.coolDown?.lastStep ?? assembly.plan.knownSteps,
      output: isSaved ? session.output : nil)
  }

  /// Saves a run after an error from outside, if that is possible.
  /// - Returns: The error, with a note that the run is saved.
  func rescue(_ loop: TrainingLoop, after error: any Error) -> any Error {
    // With several ranks, saving would need all of them, and the others are elsewhere in their step.
    guard loop.ranks.count == 1, session.unfinished != nil, records.isComplete(for: loop),
      let error = error as? OnePassError, (try? save(loop)) != nil
    else { return error }
    // Of use for the error itself; a resumed run finds them again.
    if let rejected = stream.live?.unsettledRejections { try? records.rejected?.append(rejected) }
    return OnePassError.savedAfter(error)
  }

  /// Saves the state that the finished run keeps, if it does.
  /// - Throws: `OnePassError` (`io`).
  func keepState(_ loop: TrainingLoop) throws {
    guard keepsState else { return }
    // A run that was stopped in its evaluation has the state already, with the weights before they became their average.
    if session.saved?.state.loop.position.steps != loop.position.steps { try save(loop) }
    try session.unfinished?.keepLast()
    isStateKept = true
  }

  /// Saves the run with all ranks: the first writes, and the others send the images that it lacks.
  private func save(_ loop: TrainingLoop) throws {
    guard let unfinished = session.unfinished else {
      try loop.rehearsal?.images.transfer?.collect { _ in }
      return try loop.ranks.barrier()
    }
    try settle(loop)
    let start = clock.now
    let mark = stream.mark(taken: loop.incoming.tally.taken)
    try records.rejected?.file.makeDurable()
    records.log.makeDurable()
    records.processor.update()
    try unfinished.save(
      RunState(
        version: onePassVersion, configuration: assembly.configuration.withoutSecrets,
        plan: assembly.plan.with(loop.incoming.classes), card: assembly.card.with(loop.incoming.classes),
        loop: loop.state, learner: learner.state, online: records.online.measures,
        curve: records.curve.curve, drift: records.drift?.state, log: records.log.state,
        memoryRun: loop.rehearsal?.images.directory?.run, ledger: try records.ledger?.makeDurable(),
        listing: listing, continuation: continuation, mark: mark, threads: Engine.threadCount,
        processor: records.processor.total),
      weights: learner.model.stateDictionary, optimiser: learner.optimiserState, memory: loop.rehearsal,
      shuffleBuffer: stream.snapshot)
    observe(
      .checkpoint(stepsDone: loop.position.steps, seconds: (clock.now - start) / .seconds(1)))
    confirm(mark)
    try loop.ranks.barrier()
  }

  private func settle(_ loop: TrainingLoop) throws {
    let rejected = stream.settle(upTo: loop.incoming.tally.taken)
    try records.rejected?.append(rejected)
  }

  /// Reports a place to the broker, after what was trained up to it is durable.
  func confirm(_ mark: StreamMark?) {
    guard let mark, let problem = stream.live?.confirm(mark), !isProblemReported else { return }
    isProblemReported = true
    observe(.notice(problem))
  }
}
