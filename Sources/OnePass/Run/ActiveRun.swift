import OnePassCore
import OnePassTorch

/// A run in progress: trains, saves the model, evaluates and commits the result.
final class ActiveRun {
  let configuration: RunConfiguration
  let prepared: StreamPreparation
  var stream: RunStream { prepared.stream }
  let session: RunSession
  let assembly: RunAssembly
  let learner: Learner
  let records: RunRecords
  let saver: CheckpointSaver
  let observe: (TrainingEvent) -> Void
  private let reportNotices: ReportNotices
  private(set) var loop: TrainingLoop
  /// Opens the evaluation data again; `nil` if the model is evaluated at the end only.
  let reopenEvaluation: (() throws -> (any ExampleSource)?)?
  /// The groups of classes of the stream whose accuracies are measured; `nil` for none.
  let groups: StreamGroups?
  private let served: ServedRunObserver?
  private let clock = ContinuousClock()

  /// - Parameters:
  ///   - prepared: The stream.
  ///   - loggers: The loggers of the run.
  ///   - checkpoints: When the run is saved, and whether its last state is kept.
  ///   - reopenEvaluation: Opens the evaluation data again; `nil` if the model is evaluated at the end only.
  /// - Throws: `OnePassError` if the memory directory or the checkpoint cannot be read.
  init(
    _ assembly: RunAssembly, _ learner: Learner, _ prepared: StreamPreparation, in session: RunSession,
    loggers: [any RunLogger], checkpoints: CheckpointPlan, stop: StopRequest?,
    ranks: Ranks, notices: ReportNotices, arrivals: ArrivalWatch?, served: ServedRun?,
    reopenEvaluation: (() throws -> (any ExampleSource)?)?, observe: @escaping (TrainingEvent) -> Void
  ) throws {
    self.reopenEvaluation = reopenEvaluation
    groups = reopenEvaluation == nil || assembly.plan.classLimit != nil ? nil : prepared.stream.groups
    configuration = assembly.configuration
    (self.assembly, self.learner, self.prepared, self.session) = (assembly, learner, prepared, session)
    let stream = prepared.stream
    self.observe = observe
    reportNotices = notices
    let images = try session.openMemory(prepared, ranks: ranks)
    let feed = WatchedFeed(
      prepared.feed, of: stream, isAtStart: session.saved == nil, notices: notices, arrivals: arrivals
    ) {
      observe(.notice($0))
    }
    loop = assembly.makeLoop(learner, feed, of: stream.source, images: images, ranks: ranks)
    records = RunRecords(
      ledger: try session.openLedger(),
      drift: assembly.configuration.data.drift.map { method in
        DriftWatch(method, seed: assembly.configuration.seed, classNames: assembly.plan.classNames) {
          observe(.drift($0))
        }
      },
      processor: ProcessorTimeRecorder(isOnCPU: assembly.device == .cpu, observe),
      rejected: try session.openRejected(),
      log: RunLog(
        loggers, configuration: configuration, plan: assembly.plan, pipeline: assembly.card.pipeline
      ) { observe(.notice($0)) })
    self.served = served.map { [records] in ServedRunObserver($0, learner, records, assembly.card) }
    saver = CheckpointSaver(
      assembly, learner, records, in: session, prepared, checkpoints, stop: stop, observe: observe)
    let forgotten = try session.restore(&loop, learner, records)
    if forgotten > 0 {
      observe(
        .notice(
          "Removed \(Figures.count(forgotten, "item")) from the memory, because the key of their subject was destroyed."
        ))
    }
    try learner.share(over: ranks)
    loop.requests = saver.requests
    if let saved = session.saved {
      observe(
        .resumed(
          stepsDone: saved.state.loop.position.steps, examplesSeen: saved.state.loop.incoming.tally.taken))
    }
    records.log.begin(resuming: session.saved?.state)
  }

  var ranks: Ranks { loop.ranks }
  /// The model with the classes found so far.
  var card: ModelCard { assembly.card.with(loop.incoming.classes) }
  /// The plan with the classes found so far.
  var plan: TrainingPlan { assembly.plan.with(loop.incoming.classes) }

  /// Trains on the rest of the stream.
  /// - Throws: `OnePassError`; `RunStopped` if a stop was requested.
  func train() throws {
    var observers =
      records.observers(assembly.card.pipeline.orientation, reporting: observe) + [
        AgreementCheck(learner), records.log,
      ]
    if let served {
      observers.append(served)
      try served.begin(assembly, loop)
    } else {
      observers.append(ClassNotice(loop.incoming.classes) { [observe] in observe(.notice($0)) })
    }
    if let folder = session.unfinished?.path { try stream.live?.recordOrder(in: "\(folder)/stream.order") }
    let lag = LagWatch(stream)
    stream.waiting?.isTraining = true
    defer { stream.waiting?.isTraining = false }
    records.processor.resume()
    do {
      // A run that was stopped during an evaluation repeats it.
      try evaluateIfDue()
      while var step = try loop.step() {
        step.report?.lag = lag.value(after: loop.incoming.tally.taken)
        for observer in observers { try observer.observe(step, of: loop) }
        // Not in a silence of the stream, in which a failed evaluation would be repeated.
        let evaluating = try clock.measure { if !step.arrivals.isEmpty { try evaluateIfDue() } }
        loop.position.exclude(evaluating)
        try saver.observe(step, of: loop)
      }
      records.curve.curve.finish()
      records.online.measures.addPoint(after: loop.position.steps)
      try loop.finish()
    } catch let error as OnePassError
      where (error.code == .io || stream.live != nil) && loop.position.isBetweenSteps
      && loop.position.steps > 0
    {
      // What a broker's stream delivered before any failure may not be there a second time.
      throw saver.rescue(loop, after: error)
    }
    records.processor.pause()
    records.log.finish(loop)
    try rescuing { try saver.keepState(loop) }
    try learner.adoptAverage()
    try served?.end(loop)
    for notice in notices { observe(.notice(notice)) }
    reportNotices.finish(loop.incoming.report)
  }

  /// Saves the trained model before anything else can fail, since the stream cannot be read again.
  /// - Returns: The result, without an accuracy.
  func save() throws -> RunResult {
    try rescuing { if let folder = session.folder { try saveModel(in: folder) } }
    let pictures = try KeptPictures(
      of: loop, count: configuration.picturesKept, isWanted: session.folder != nil)
    if let folder = session.folder, let pictures, let memory = loop.rehearsal?.memory {
      try rescuing { try pictures.write(to: folder, with: memory, encrypting: session.keys) }
    }
    do { try learner.checkAgreement(over: ranks) } catch let error as OnePassError where error.code == .usage
    {
      observe(.notice("\(error.message) The weights of rank 0 were saved."))
    }
    var result = makeResult()
    result.wallSeconds += records.curve.curve.evaluationSeconds
    result.storage.pictures = pictures?.amount
    result.throughput.logSeconds = records.log.seconds
    do {
      result.storage.loggedPictures = try session.output.flatMap { try EventFolder(of: $0).pictures() }
    } catch { observe(.notice("The result lacks the size of the logged images. \(error)")) }
    return result
  }

  /// Evaluates the model and commits the run, with or without an accuracy.
  /// - Throws: The error of the evaluation, after the run is committed.
  func finish(_ result: RunResult, evaluatingOn data: EvaluationData?) throws -> RunResult {
    var result = result
    var failure: (any Error)?
    if let data {
      let start = clock.now
      do { result.accuracy = try evaluate(on: data) } catch let stopped as RunStopped {
        throw stopped
      } catch {
        failure = error
      }
      result.wallSeconds += (clock.now - start) / .seconds(1)
    }
    if reopenEvaluation != nil { try complete(&result) }
    // Before the commit, which nothing repeats. A run that is interrupted between the two evaluates and logs again, in place of
    // what it has logged.
    if let accuracy = result.accuracy {
      records.log.log(accuracy, after: loop.position.steps)
      records.log.makeDurable()
    }
    let mark = stream.mark(taken: loop.incoming.tally.taken)
    try rescuing { try session.commit(result, runFile: runFile(of: result)) }
    saver.confirm(mark)
    if let accuracy = result.accuracy { observe(.measured(accuracy, stepsDone: loop.position.steps)) }
    if let failure {
      if let output = session.output {
        observe(.notice("The evaluation failed. The trained model is in \(output), without an accuracy."))
      }
      throw failure
    }
    records.log.outcome = .finished
    return result
  }

  /// Adds the final accuracy to the curve.
  private func complete(_ result: inout RunResult) throws {
    if let accuracy = result.accuracy { records.curve.curve.record(point(of: accuracy), seconds: 0) }
    let curve = records.curve.curve
    result.accuracyCurve = curve.evaluations
    result.groups = groups.flatMap {
      GroupAccuracies(
        $0, batchSize: configuration.recipe.batchSize, points: curve.evaluations,
        lastStep: loop.position.steps)
    }
    if groups != nil, result.groups == nil {
      observe(
        .notice(
          "The result has no accuracies by group, because no group has passed, an evaluation failed, or the evaluation data has no example of a group."
        ))
    }
    try rescuing { try session.folder?.write(curve.csv, to: "curve.csv") }
  }

  /// Saves the run if `body` fails, so that it can be resumed.
  func rescuing(_ body: () throws -> Void) throws {
    do { try body() } catch { throw saver.rescue(loop, after: error) }
  }

  private func saveModel(in folder: RunFolder) throws {
    let memory = loop.rehearsal
    try memory?.images.directory?.images.makeDurable()
    try Checkpoint(
      card: card, weights: learner.model.stateDictionary,
      optimiser: learner.optimiser.stateDictionary,
      progress: TrainingPosition(
        step: loop.position.steps, updates: learner.updatesMade, examplesSeen: loop.incoming.tally.taken,
        examplesTrained: loop.position.examplesTrained, seed: configuration.seed,
        memory: memory?.memory.counters, memoryRun: memory?.images.directory?.run,
        ledger: try records.ledger?.makeDurable(), arrivals: loop.incoming.state.arrivals,
        gaps: prepared.continuation?.gaps),
      memory: memory?.memory.snapshot
    ).write(in: folder)
    try folder.write(records.curve.curve.csv, to: "curve.csv")
    try folder.write(records.online.measures.csv, to: OnlineMeasures.fileName)
    try folder.write(records.online.measures.csvOfClasses(card), to: OnlineMeasures.classesFileName)
    if loop.incoming.classes.isOpen {
      try folder.write(loop.incoming.classes.csv, to: RunClasses.fileName)
    }
    for file in records.ledger?.files ?? [] { try folder.copy(file.path, to: file.name) }
    if let rejected = records.rejected, !rejected.isEmpty {
      try rejected.file.makeDurable()
      try folder.copy(rejected.file.path, to: RejectedMessages.fileName)
    }
  }
}
