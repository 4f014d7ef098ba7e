import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// A whole run: opens the stream, trains, evaluates, and writes what came of it.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.evaluationData = "fashion-mnist:test"
/// configuration.model = "resnet20"
/// let result = try TrainingRun(configuration).start { event in print(event) }
/// print(result.accuracy?.top1 ?? 0)
/// ```
///
/// A run belongs to the thread that starts it, because libtorch's gradient mode does.
public struct TrainingRun {
  public let configuration: RunConfiguration
  private let source: any ExampleSource

  /// - Throws: `OnePassError` (`usage`) if an option cannot mean anything, or the source cannot be opened.
  public init(_ configuration: RunConfiguration) throws {
    try configuration.validate()
    self.configuration = configuration
    source = try SourceRegistry.open(
      configuration.data, seed: configuration.seed, classNames: configuration.classNames)
  }

  /// A run on a stream of one's own. `configuration.data` only describes it.
  public init(_ configuration: RunConfiguration, source: any ExampleSource) throws {
    try configuration.validate()
    self.configuration = configuration
    self.source = source
  }

  /// Trains and evaluates.
  /// - Parameters:
  ///   - output: The folder that receives the run; it must not exist, or be empty. Nothing is left there
  ///     if the run fails.
  ///   - observe: Called on this thread after each step.
  /// - Throws: `OnePassError`.
  public func start(
    output: String? = nil, observe: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult {
    let folder = try output.map { try RunFolder(creating: $0) }
    let device = try Device(parsing: configuration.device)
    if let threads = configuration.threads { try Engine.setThreadCount(threads) }

    let stream = try StreamPreparation(source, configuration)
    for notice in stream.notices { observe(.notice(notice)) }
    let plan = stream.plan
    let evaluationSource = try openEvaluation(plan)
    let pool = DecodePool(pipeline: stream.pipeline, threads: configuration.decodeThreads ?? machineCores())
    defer { pool.shutdown() }

    let card = ModelCard(
      name: configuration.model, stem: stream.stem, classes: plan.classes, classNames: plan.classNames,
      pipeline: stream.pipeline)
    let model = try card.makeModel(seed: configuration.seed, device: device)
    let learner = try Learner(model: model, device: device, configuration: configuration, plan: plan)
    observe(.started(plan))

    let trainer = Trainer(
      configuration: configuration, plan: plan, source: source, feed: stream.feed, learner: learner,
      pool: pool, observe: observe)
    try trainer.run()
    if configuration.method != .multiEpoch, trainer.tally.taken < plan.streamExamples {
      observe(
        .notice(
          "The stream ended after \(trainer.tally.taken) of \(plan.streamExamples) examples, so the learning "
            + "rate did not reach 0."))
    }

    let clock = ContinuousClock()
    let evaluationStart = clock.now
    let accuracy = try evaluationSource.map { source in
      let evaluator = Evaluator(model: model, device: device, pool: pool, classes: plan.classes)
      let total = configuration.evaluationLimit ?? source.knownCount
      return try evaluator.evaluate(source, limit: configuration.evaluationLimit) {
        observe(.evaluated(examples: $0, total: total))
      }
    }
    let evaluationSeconds = (clock.now - evaluationStart) / .seconds(1)
    let result = makeResult(
      trainer, learner, plan, accuracy: accuracy, wallSeconds: trainer.seconds + evaluationSeconds)

    if let folder {
      try Checkpoint(
        card: card, weights: model.stateDictionary, optimiser: learner.optimiser.stateDictionary,
        progress: TrainingPosition(
          step: trainer.curve.points.last?.step ?? 0, updates: learner.updatesMade,
          examplesSeen: trainer.tally.taken, examplesTrained: learner.examplesTrained,
          seed: configuration.seed, memory: trainer.memory?.counters),
        memory: trainer.memory.map { Array($0.items) }
      ).write(in: folder)
      try folder.write(trainer.curve.csv, to: "curve.csv")
      try folder.write(json: result, to: "result.json")
      try folder.commit()
    }
    return result
  }

  private func openEvaluation(_ plan: TrainingPlan) throws -> (any ExampleSource)? {
    guard let specification = configuration.evaluationData else { return nil }
    let evaluation = try SourceRegistry.open(
      specification, seed: configuration.seed, classNames: configuration.classNames)
    if let names = evaluation.classNames, let trained = plan.classNames, names != trained {
      throw OnePassError(
        .badData,
        "The classes of \(specification) (\(names.count): \(names.prefix(3).joined(separator: ", "))…) are not those "
          + "of \(configuration.data) (\(trained.count): \(trained.prefix(3).joined(separator: ", "))…). "
          + "Give data with the same classes.")
    }
    return evaluation
  }

  private func makeResult(
    _ trainer: Trainer, _ learner: Learner, _ plan: TrainingPlan, accuracy: RunResult.Accuracy?,
    wallSeconds: Double
  ) -> RunResult {
    let passes = configuration.method == .multiEpoch ? configuration.epochs : 1
    let stream = RunResult.Stream(
      examples: trainer.tally.taken / passes, skipped: trainer.tally.skipped / passes,
      bytes: trainer.tally.bytes / passes)
    let kept: (examples: Int, bytes: Int) =
      switch configuration.method {
      case .naive: (examples: 0, bytes: 0)
      case .replay: (trainer.memory?.counters.peakItems ?? 0, trainer.memory?.counters.peakBytes ?? 0)
      case .multiEpoch: (stream.examples, stream.bytes)
      }
    return RunResult(
      accuracy: accuracy,
      storage: .init(
        examples: kept.examples, bytes: kept.bytes,
        exampleFraction: Double(kept.examples) / Double(stream.examples),
        byteFraction: Double(kept.bytes) / Double(stream.bytes)),
      compute: .init(
        examples: learner.examplesTrained,
        fraction: Double(learner.examplesTrained) / Double(RunResult.referenceEpochs * stream.examples),
        updates: learner.updatesMade),
      throughput: .init(imagesPerSecond: Double(learner.examplesTrained) / max(trainer.seconds, 1e-9)),
      wallSeconds: wallSeconds, trainingSeconds: trainer.seconds, stream: stream,
      memory: trainer.memory?.counters, configuration: configuration, plan: plan, version: onePassVersion,
      engine: Engine.version)
  }
}
