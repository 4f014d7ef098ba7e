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
  let stream: RunStream
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
    stream = try RunStream(
      source
        ?? SourceRegistry.open(
          configuration.data.source, seed: configuration.seed, classNames: configuration.data.classNames,
          subjectKey: configuration.data.subjectKey), configuration)
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
    try ranks.check(configuration, stream.source)
    let loggers = ranks.isFirst ? try logs.makeLoggers(in: output) : []
    let session = try RunSession(
      configuration, output: output, resuming: resuming, kept: checkpoints.kept, ranks: ranks)
    defer { session.close() }
    // Read before the data, so that a wrong file is reported at once; the other ranks receive what the first has.
    let initial =
      try ranks.isFirst && session.saved == nil
      ? configuration.model.initialise.map { try InitialWeights($0) } : nil
    let device = try prepareMachine()
    let prepared = try session.prepare(stream)
    for notice in prepared.notices { observe(.notice(notice)) }
    try ranks.check(prepared)
    let evaluationSource = try openEvaluation(prepared.plan)

    let assembly = try RunAssembly(
      configuration, parts, prepared.plan, prepared.pipeline, prepared.stem, on: device, group: group)
    defer { assembly.pool.shutdown() }
    if let notice = try initial?.load(into: assembly.model, assembly.card) { observe(.notice(notice)) }
    let learner = try assembly.makeLearner(ranks)
    observe(.started(prepared.plan))
    let run = try ActiveRun(
      assembly, learner, stream, prepared, in: session, loggers: loggers, every: checkpoints.every,
      stop: stop,
      ranks: ranks, observe: observe)
    defer { run.records.log.end() }
    try run.train()
    return try run.finish(run.save(), evaluatingOn: evaluationSource)
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

  static var resumesNowhere: OnePassError {
    OnePassError(.usage, "--resume goes on in a folder: say with --output in which.")
  }

  func openEvaluation(_ plan: TrainingPlan) throws -> (any ExampleSource)? {
    if let evaluationSource { return evaluationSource }
    return try configuration.data.evaluationSource.map {
      try SourceRegistry.open($0, seed: configuration.seed, classNames: plan.classNames)
    }
  }
}
