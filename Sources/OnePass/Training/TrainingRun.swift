import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// A whole run: opens the stream, trains, evaluates, and writes what came of it.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.data.evaluationSource = "fashion-mnist:test"
/// configuration.model.name = "resnet20"
/// let result = try TrainingRun(configuration).start { event in print(event) }
/// print(result.accuracy?.top1 ?? 0)
/// ```
///
/// A run belongs to the thread that starts it, because libtorch's gradient mode does.
public struct TrainingRun {
  /// What was asked for; it names a program's own parts as `own:` and their name.
  public let configuration: RunConfiguration
  let source: any ExampleSource
  private let evaluationSource: (any ExampleSource)?
  let parts: MethodParts

  /// A run with the streams and the parts that the configuration names, or with a program's own in their place.
  ///
  /// Records name a program's own parts. A run goes on only with parts of the same names, and in several processes all have
  /// to give the same.
  /// - Parameters:
  ///   - configuration: What to do.
  ///   - source: The stream; `configuration.data.source` then only describes it.
  ///   - evaluationSource: Labelled images to measure the accuracy on; `configuration.data.evaluationSource` is then what it calls
  ///     itself.
  ///   - priority: The priority of an example.
  ///   - drawing: Which item a draw chooses; an empty selector.
  ///   - evicting: Which item makes room; an empty selector.
  ///   - model: The kind of the network.
  /// - Throws: `OnePassError` (`usage`) if an option cannot mean anything, or the source cannot be opened.
  public init(
    _ configuration: RunConfiguration, source: (any ExampleSource)? = nil,
    evaluationSource: (any ExampleSource)? = nil, priority: (any PriorityFunction)? = nil,
    drawing: (any ItemSelector)? = nil, evicting: (any ItemSelector)? = nil, model: ModelKind? = nil
  ) throws {
    var configuration = configuration
    parts = try MethodParts(
      &configuration, priority: priority, drawing: drawing, evicting: evicting, model: model)
    if let evaluationSource { configuration.data.evaluationSource = evaluationSource.specification }
    try configuration.validate()
    self.configuration = configuration
    self.evaluationSource = evaluationSource
    self.source = try configuration.shuffling(
      source
        ?? SourceRegistry.open(
          configuration.data.source, seed: configuration.seed, classNames: configuration.data.classNames,
          subjectKey: configuration.data.subjectKey))
  }

  /// Trains and evaluates.
  /// - Parameters:
  ///   - output: The folder that receives the run; it must not exist, or be empty. Nothing is left there
  ///     if the training fails; if only the evaluation fails, the run is there without an accuracy.
  ///   - resuming: Goes on from the last checkpoint in `output`; begins anew where there is none.
  ///   - checkpoints: When the run is saved in `output` while it trains; by default only when it is stopped.
  ///   - stop: Asks the run to stop after its current step; it is then saved in `output`.
  ///   - group: The processes that train together; this one alone if `nil`. Each calls this with the same configuration;
  ///     only the first rank touches `output`, and the result is the same on all.
  ///   - logs: What is logged of the run while it trains; nothing of it decides about the result.
  ///   - observe: Called on this thread after each step.
  /// - Throws: `OnePassError`; `RunStopped` when it was asked to stop.
  public func start(
    output: String? = nil, resuming: Bool = false, checkpoints: CheckpointPlan = CheckpointPlan(),
    stop: StopRequest? = nil, group: ProcessGroup? = nil, logs: LogPlan = LogPlan(),
    observe: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult {
    let ranks = Ranks(group)
    try ranks.check(configuration, source)
    let loggers = ranks.isFirst ? try logs.makeLoggers(in: output) : []
    let output = ranks.isFirst ? output : nil
    let folder = try output.map { try RunFolder(creating: $0, resuming: resuming) }
    let unfinished = output.map { UnfinishedRun(in: $0, kept: checkpoints.kept) }
    try unfinished?.open()
    if let output { RunFolder.removeLeftovers(of: output, evenComplete: false) }
    var isFinished = false
    defer { if !isFinished { unfinished?.abandon() } }
    let saved = try ranks.share(
      ranks.isFirst ? loadCheckpoint(output, unfinished, resuming: resuming) : nil)
    // Read before the data, so that a wrong file is told at once; the other ranks receive what the first has.
    var initial =
      try ranks.isFirst && saved == nil ? configuration.model.initialise.map { try InitialWeights($0) } : nil
    // What has passed. Runs that an earlier version began have no ledger, and go on without.
    let passed = try saved?.state.ledger.flatMap { mark in
      try unfinished.map { run in
        try run.offeringAnother { try LedgerFile(path: run.ledgerPath, mark: mark) }
      }
    }
    let device = try prepareMachine()

    let shuffleBuffer = source as? ShuffleBuffer
    if let snapshot = saved?.shuffleBuffer { shuffleBuffer?.prepareToRestore(snapshot) }
    let stream =
      try saved.map {
        try StreamPreparation(source, configuration, resuming: $0.state, ledger: passed)
      }
      ?? StreamPreparation(source, configuration)
    for notice in stream.notices { observe(.notice(notice)) }
    let plan = stream.plan
    try ranks.check(stream)
    let evaluationSource = try openEvaluation(plan)
    // The incoming mini-batch, the next one, and the replays of a step wait to be decoded at once.
    let pool = DecodePool(
      pipeline: stream.pipeline, threads: configuration.machine.decodeThreads ?? machineCores(),
      queueCapacity: configuration.recipe.batchSize * (configuration.replay.steps + 2),
      augmentation: configuration.imageAugmentation, storedFormat: configuration.storedFormat, feeding: device
    )
    defer { pool.shutdown() }

    let card = ModelCard(
      name: configuration.model.name, stem: stream.stem, classes: plan.classes, classNames: plan.classNames,
      pipeline: stream.pipeline, blurPool: configuration.recipe.blurPool)
    let model = try card.makeModel(
      seed: configuration.seed, device: device,
      normalisingOver: configuration.machine.synchronisedBatchNorm ? group : nil, own: parts.model)
    if let notice = try initial.take()?.load(into: model, card) { observe(.notice(notice)) }
    let learner = try Learner(
      model: model, device: device, normalisation: card.pipeline.normalisation, configuration: configuration,
      plan: plan, ranks: ranks)
    observe(.started(plan))

    let diskMemory = try openMemory(plan, stream, saved, unfinished)
    defer {
      // Images of which nothing says what they are.
      if !isFinished, !(unfinished?.hadCheckpoint ?? false) { diskMemory?.remove() }
    }
    // Each example is noted once, by the first rank.
    let ledger = try saved == nil ? newLedger(in: unfinished) : resumedLedger(passed, in: unfinished)
    let trainer = Trainer(
      configuration: configuration, parts: parts, plan: plan, source: source,
      feed: WatchedFeed(stream.feed, of: source, isAtStart: saved == nil) { observe(.notice($0)) },
      learner: learner, pool: pool, diskMemory: diskMemory, ledger: ledger, ranks: ranks, observe: observe)
    if let saved {
      try unfinished?.offeringAnother { try trainer.resume(saved) } ?? trainer.resume(saved)
    }
    try learner.share(over: ranks)
    let log = RunLog(
      loggers, configuration: configuration, plan: plan, pipeline: stream.pipeline, saved: saved?.state
    ) { observe(.notice($0)) }
    defer { log.end() }
    let saver = CheckpointSaver(
      configuration: configuration, plan: plan, card: card, learner: learner, shuffleBuffer: shuffleBuffer,
      folder: unfinished, interval: checkpoints.every, stop: stop, output: output, ranks: ranks,
      log: log)
    trainer.requests = saver.requests
    let stepsBefore = trainer.stepsDone
    trainer.afterStep = { trainer, isStopping, isDue in
      // The same updates from the same beginning, on processors that need not be alike: found out now, not after days.
      if trainer.stepsDone == stepsBefore + 1 { try learner.checkAgreement(over: ranks) }
      log.afterStep(trainer)
      try saver.afterStep(trainer, isStopping: isStopping, isDue: isDue)
    }
    do { try trainer.run() } catch let error as OnePassError
      where error.code == .io && trainer.isBetweenSteps && trainer.stepsDone > 0
    {
      throw saver.rescue(trainer, after: error)
    }
    log.finish(trainer)
    try learner.adoptAverage()
    let reestimation = try reestimateBatchNorm(of: learner, trainer, stream.kept, pool, ranks)
    for notice in notices(after: trainer, plan) { observe(.notice(notice)) }
    // The stream will not come again: the model is safe before anything else can fail.
    if let folder {
      do { try save(trainer, learner, card, in: folder) } catch { throw saver.rescue(trainer, after: error) }
    }
    let pictures = try KeptPictures(
      of: trainer, count: configuration.picturesKept, ranks, isWanted: folder != nil)
    if let folder, let pictures, let memory = trainer.memory {
      do { try pictures.write(to: folder, with: memory.snapshot) } catch {
        throw saver.rescue(trainer, after: error)
      }
    }
    do { try learner.checkAgreement(over: ranks) } catch let error as OnePassError where error.code == .usage
    {
      observe(.notice("\(error.message) Those of rank 0 were saved."))
    }

    var result = makeResult(trainer, learner, ranks, plan, card, device, pool, reestimation)
    result.storage.pictures = pictures?.amount
    result.throughput.logSeconds = log.seconds
    do { result.storage.loggedPictures = try output.flatMap { try EventFolder(of: $0).pictures() } } catch {
      observe(.notice("The result does not say what pictures of the memory take. \(error)"))
    }
    var failure: (any Error)?
    if let evaluationSource {
      let clock = ContinuousClock()
      let start = clock.now
      // Each rank normalised by what it saw; they are measured as what is saved.
      try learner.share(over: ranks)
      let evaluator = Evaluator(
        model: model, device: device, pool: pool, classes: plan.classes,
        brokenLimit: configuration.data.brokenLimit, ranks: ranks)
      let total = configuration.data.evaluationLimit ?? evaluationSource.knownCount
      do {
        result.accuracy = try evaluator.evaluate(evaluationSource, limit: configuration.data.evaluationLimit)
        {
          observe(.evaluated(examples: $0, total: total))
          try saver.stopIfAsked(trainer)
        }
      } catch let stopped as RunStopped { throw stopped } catch { failure = error }
      result.wallSeconds += (clock.now - start) / .seconds(1)
    }
    if let folder {
      do {
        try folder.write(fileText(of: result), to: RunConfiguration.fileName)
        try folder.write(json: result, to: "result.json")
        try folder.commit()
      } catch { throw saver.rescue(trainer, after: error) }
      if resuming { RunFolder.removeLeftovers(of: folder.path, evenComplete: true) }
      isFinished = true
      unfinished?.remove()
    }
    // Not before: a run that goes on evaluates again.
    if let accuracy = result.accuracy { log.finish(accuracy, after: trainer.stepsDone) }
    if let failure {
      if let output {
        observe(.notice("The evaluation failed; the trained model is in \(output), without an accuracy."))
      }
      throw failure
    }
    log.outcome = .finished
    return result
  }

  /// The device, with what was asked of the machine.
  /// - Throws: `OnePassError` (`usage`) if it is not there, or does not compute in the precision.
  func prepareMachine() throws -> Device {
    let device = try Device(parsing: configuration.machine.device)
    guard device.supports(configuration.machine.precision) else {
      throw OnePassError(
        .usage,
        "The processor of this machine does not compute in \(configuration.machine.precision.rawValue): leave --precision out, "
          + "or use a GPU.")
    }
    if let threads = configuration.machine.threads { try Engine.setThreadCount(threads) }
    return device
  }

  private func loadCheckpoint(
    _ output: String?, _ unfinished: UnfinishedRun?, resuming: Bool
  ) throws -> UnfinishedRun.Saved? {
    guard resuming else { return nil }
    guard let output, let unfinished else { throw Self.resumesNowhere }
    guard try unfinished.hasCheckpoint else { return nil }
    try unfinished.checkForgetting()
    let saved = try unfinished.load()
    if let difference = configuration.difference(fromRecord: saved.state.configuration) {
      throw OnePassError(
        .usage,
        "The run in \(output) began with other options (\(difference)): give the same ones, or choose another folder."
      )
    }
    return saved
  }

  static var resumesNowhere: OnePassError {
    OnePassError(.usage, "--resume goes on in a folder: say with --output in which.")
  }

  /// The memory directory of the run, where it has one.
  private func openMemory(
    _ plan: TrainingPlan, _ stream: StreamPreparation, _ saved: UnfinishedRun.Saved?,
    _ unfinished: UnfinishedRun?
  ) throws -> MemoryDirectory? {
    if let saved {
      switch (configuration.memory.directory, saved.state.memoryRun) {
      case (let path?, let run?): return try MemoryDirectory(opening: path, run: run)
      case (nil, nil): return nil
      case (nil, _):
        throw OnePassError(
          .usage, "The run began with its memory on disk: say with --memory-directory where it is.")
      case (_, nil):
        throw OnePassError(.usage, "The run began with its memory in RAM: leave out --memory-directory.")
      }
    }
    guard let path = configuration.memory.directory, let first = stream.firstImage else { return nil }
    if let claimed = unfinished?.claimedMemory, try DiskImages.run(in: path) == claimed {
      // The run was broken off before its first checkpoint, and begins anew.
      DiskImages.remove(in: path)
    }
    // First the claim: what is made afterwards is known as this run's, whenever it breaks off.
    let run = UUID().uuidString
    try unfinished?.claimMemory(run)
    let form = StoredForm(configuration.storedFormat, pipeline: stream.pipeline)
    return try MemoryDirectory(creating: path, run: run, plan: plan, imageBytes: form(first).byteCount)
  }

  /// The ledger of a pass, where there is a place for it. Several passes over kept data need none.
  private func newLedger(in unfinished: UnfinishedRun?) -> Ledger? {
    guard let unfinished, configuration.method != .multiEpoch else { return nil }
    return Ledger(in: unfinished.path, withSubjects: configuration.data.subjectKey != nil)
  }

  private func resumedLedger(_ passed: LedgerFile?, in unfinished: UnfinishedRun?) throws -> Ledger? {
    guard let passed, let unfinished else { return nil }
    return try Ledger(
      resuming: passed, in: unfinished.path, withSubjects: configuration.data.subjectKey != nil)
  }

  private func save(_ trainer: Trainer, _ learner: Learner, _ card: ModelCard, in folder: RunFolder) throws {
    try trainer.memory?.diskImages?.makeDurable()
    try Checkpoint(
      card: card, weights: learner.model.stateDictionary, optimiser: learner.optimiser.stateDictionary,
      progress: TrainingPosition(
        step: trainer.stepsDone, updates: learner.updatesMade, examplesSeen: trainer.tally.taken,
        examplesTrained: trainer.trained.count, seed: configuration.seed,
        memory: trainer.memory?.counters, memoryRun: trainer.memoryRun,
        ledger: try trainer.ledger?.makeDurable(),
        arrivals: trainer.arrivals),
      memory: trainer.memory?.snapshot
    ).write(in: folder)
    try folder.write(trainer.curve.csv, to: "curve.csv")
    for file in trainer.ledger?.files ?? [] { try folder.copy(file.path, to: file.name) }
  }

  func openEvaluation(_ plan: TrainingPlan) throws -> (any ExampleSource)? {
    if let evaluationSource { return evaluationSource }
    return try configuration.data.evaluationSource.map {
      try SourceRegistry.open($0, seed: configuration.seed, classNames: plan.classNames)
    }
  }
}
