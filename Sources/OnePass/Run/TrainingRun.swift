import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// A training run, from opening the stream to writing the result.
///
/// ```swift
/// var configuration = RunConfiguration(data: "fashion-mnist")
/// configuration.data.evaluationSource = "fashion-mnist:test"
/// configuration.model.name = "resnet20"
/// let result = try TrainingRun(configuration).start { event in print(event) }
/// print(result.accuracy?.top1 ?? 0)
/// ```
///
/// A run must be started and used on one thread, because libtorch's gradient mode is per thread.
public struct TrainingRun {
  /// The options of the run. Custom parts are named `own:` and their name, and a source that is named by its path alone has
  /// its kind.
  public internal(set) var configuration: RunConfiguration
  /// Notices about the options, for the user.
  let notices: [String]
  let stream: RunStream
  /// Is notified while the run waits for its stream.
  package var arrivals: ArrivalWatch?
  /// Receives weights and figures while the run trains.
  package var served: ServedRun?
  private let evaluationSource: (any ExampleSource)?
  let parts: MethodParts

  /// Creates a run with the streams and parts that the configuration names, or with custom ones in their place.
  ///
  /// Records contain the names of custom parts. A run can only be resumed with parts of the same names, and all processes of a
  /// run must pass the same.
  /// - Parameters:
  ///   - configuration: The options of the run.
  ///   - source: A custom stream. `configuration.data.source` is then only a description. A program that shuffles it uses
  ///     ``RunConfiguration/seedOfOrder``.
  ///   - evaluationSource: Custom evaluation data. Its specification replaces `configuration.data.evaluationSource`.
  ///   - priority: A custom priority function.
  ///   - drawing: A custom, empty selector of items for replay.
  ///   - evicting: A custom, empty selector of items for eviction.
  ///   - model: A custom kind of model.
  /// - Throws: `OnePassError` (`usage`) if options are impossible; as the source does if it cannot be opened.
  public init(
    _ configuration: RunConfiguration, source: (any ExampleSource)? = nil,
    evaluationSource: (any ExampleSource)? = nil, priority: (any PriorityFunction)? = nil,
    drawing: (any ItemSelector)? = nil, evicting: (any ItemSelector)? = nil, model: ModelKind? = nil
  ) throws {
    var configuration = configuration
    parts = try MethodParts(
      &configuration, priority: priority, drawing: drawing, evicting: evicting, model: model)
    if let evaluationSource { configuration.data.evaluationSource = evaluationSource.specification }
    // An explicit auto is the default.
    if configuration.data.orientation == .auto { configuration.data.orientation = nil }
    // Recorded as it is found from any folder, since forgetting destroys keys in it.
    if let key = configuration.memory.key {
      configuration.memory.key = URL(fileURLWithPath: key).standardizedFileURL.path
    }
    try configuration.validate()
    let pathNotices = try configuration.readPaths(
      data: source == nil, evaluation: evaluationSource == nil)
    self.configuration = configuration
    DecodeBudget.use(configuration.machine.decodeMemory)
    self.evaluationSource = evaluationSource
    if evaluationSource == nil, let name = configuration.data.evaluationSource, SourceRegistry.isLive(name) {
      throw OnePassError.liveStreamHasNoEnd(SourceRegistry.withoutSecrets(name))
    }
    if configuration.data.evaluationInterval != nil {
      try Self.checkRepeated(evaluationSource, configuration)
    }
    stream = try RunStream(source ?? configuration.openData(), configuration)
    stream.waiting?.end = configuration.live.until?.date
    notices = pathNotices + [stream.noticeOfGroups].compactMap(\.self)
  }

  /// Trains and evaluates.
  /// - Parameters:
  ///   - output: The output folder, which must be empty or not exist. If the training fails, nothing is left there. If only
  ///     the evaluation fails, the run is there without an accuracy.
  ///   - resuming: Whether to resume from the last checkpoint in `output`. Without a checkpoint, a new run starts.
  ///   - continuing: Whether the stream of a resumed run delivers what comes next, instead of the same from its start. The
  ///     result records the gap.
  ///   - finished: The folder of a finished run that kept its state, which this run extends by the stream. `output` is a new
  ///     folder. Options must be those of the finished run, apart from the data.
  ///   - checkpoints: When the run is saved in `output` while it trains; by default only when it is stopped.
  ///   - stop: Requests that the run stop after its current step; it is then saved in `output`.
  ///   - group: The processes that train together; only this one if `nil`. All must use the same configuration. Only the first
  ///     rank writes to `output`, and the result is the same on all.
  ///   - logs: The logs of the run. The result does not depend on them.
  ///   - observe: Called on this thread for each event.
  /// - Throws: `OnePassError`; `RunStopped` if a stop was requested.
  public func start(
    output: String? = nil, resuming: Bool = false, continuing: Bool = false,
    extending finished: String? = nil,
    checkpoints: CheckpointPlan = CheckpointPlan(),
    stop: StopRequest? = nil, group: ProcessGroup? = nil, logs: LogPlan = LogPlan(),
    observe: @escaping (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult {
    guard resuming || !continuing else { throw OnePassError.optionRequires("--continue", "--resume") }
    if stream.live != nil, continuing || finished != nil {
      throw OnePassError.liveStreamContinues(
        stream.source.specification, option: continuing ? "--continue" : "--extend")
    }
    let ranks = Ranks(group)
    // With several ranks, all would have to pause at the same example.
    if ranks.count == 1 { stream.waiting?.begin(stop: stop) }
    try ranks.check(configuration, stream.source, continuing: continuing)
    let extends = try extend(finished, in: output, resuming: resuming, ranks)
    let loggers = ranks.isFirst ? try logs.makeLoggers(in: output) : []
    guard configuration.memory.key == nil || !loggers.contains(where: \.takesPictures) else {
      throw OnePassError.memoryKeyWithPictures
    }
    let session = try RunSession(
      configuration, output: output, resuming: resuming || extends, continuing: continuing || extends,
      kept: checkpoints.kept, ranks: ranks)
    defer { session.close() }
    // Read before the data, so that a wrong file is reported at once. Other ranks receive the weights of the first.
    let initial =
      try ranks.isFirst && session.saved == nil
      ? configuration.model.initialise.map { try InitialWeights($0) } : nil
    let threads = ResumedThreads(
      configuration.machine.threads, before: session.saved?.state.threads,
      precision: configuration.machine.precision)
    let device = try prepareMachine(threads: threads.count)
    if let live = stream.live { arrivals?.describe(rejected: live.rejectedText) }
    let prepared = try prepare(in: session, arrivals)
    let stream = prepared.stream
    for notice in session.notices + self.notices + prepared.notices + threads.notices {
      observe(.notice(notice))
    }
    let notices = ReportNotices(of: stream.source.specification) { observe(.notice($0)) }
    try stream.source.checkReport(isStrict: configuration.data.strict)
    notices.update(stream.source.report)
    try ranks.check(prepared)
    // As for the stream.
    let waiting = ranks.count == 1 ? stop : nil
    var evaluationData = try stoppable(in: session) {
      try openEvaluation(prepared.plan, stop: waiting).map { EvaluationData($0) }
    }

    let assembly = try RunAssembly(
      prepared.configuration, parts, prepared.plan, prepared.pipeline, prepared.stem,
      choice: prepared.choice, on: device, group: group)
    defer { assembly.pool.shutdown() }
    try stoppable(in: session) {
      try evaluationData?.check(
        probe: evaluationCanBeOpenedTwice ? openEvaluation(prepared.plan, stop: waiting) : nil,
        prepared.plan, assembly.pool)
    }
    if let notice = try initial?.load(into: assembly.model, assembly.card) { observe(.notice(notice)) }
    let learner = try assembly.makeLearner(ranks)
    observe(.started(prepared.plan))
    let run = try ActiveRun(
      assembly, learner, prepared, in: session, loggers: loggers, checkpoints: checkpoints, stop: stop,
      ranks: ranks, notices: notices, arrivals: arrivals, served: served,
      reopenEvaluation: isEvaluatedAlongTheStream ? { try openAgain(prepared.plan, stop: waiting) } : nil,
      observe: observe)
    defer { run.records.log.end() }
    try run.train()
    return try run.finish(run.save(), evaluatingOn: evaluationData)
  }

  /// The facts about the stream, whose first examples may not have arrived yet.
  /// - Throws: `OnePassError`; `RunStopped` if a stop was requested while the stream was silent.
  private func prepare(in session: RunSession, _ arrivals: ArrivalWatch?) throws -> StreamPreparation {
    try stoppable(in: session) {
      try arrivals?.watching(stream.source.specification) { try session.prepare(stream) }
        ?? session.prepare(stream)
    }
  }

  /// Calls `body`, which reads before the training.
  /// - Throws: `RunStopped` if a stop was requested while it waited.
  private func stoppable<Value>(in session: RunSession, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch is ReadingStopped {
      let state = session.saved?.state
      throw RunStopped(
        step: state?.loop.position.steps ?? 0, steps: state == nil ? 0 : state?.plan.knownSteps,
        output: state == nil ? nil : session.output)
    }
  }

  /// Copies the state of a finished run to the output folder.
  /// - Returns: Whether the run starts from it: not if it was extended before, and now resumes.
  private func extend(
    _ finished: String?, in output: String?, resuming: Bool, _ ranks: Ranks
  ) throws -> Bool {
    guard let finished else { return false }
    var isNew = false
    if ranks.isFirst {
      guard let output else { throw OnePassError.optionRequires("--extend", "--output") }
      isNew = try !(resuming && UnfinishedRun.hasCheckpoint(in: output))
      if isNew {
        _ = try RunFolder(creating: output)
        try KeptState.copy(from: finished, to: output, configuration, stream)
      }
    }
    return try ranks.sum([isNew ? 1 : 0])[0] > 0
  }

  /// Loads libtorch, finds the device and sets the number of threads.
  /// - Parameter threads: The number of compute threads; one per available core if `nil`.
  /// - Throws: `OnePassError` (`usage`) if there is no such device, or it does not support the precision.
  func prepareMachine(threads: Int?) throws -> Device {
    let device = try Device(parsing: configuration.machine.device)
    try Engine.load()
    guard device.supports(configuration.machine.precision) else {
      throw OnePassError.precisionUnsupported(configuration.machine.precision.rawValue)
    }
    try ComputeThreads.set(threads)
    return device
  }

  /// - Throws: `OnePassError` (`badData`) with `--strict`, if the data has entries that are left out.
  /// - Parameter stop: Ends a wait for the data, which is then read on another thread; `nil` to read it directly.
  /// - Throws: `ReadingStopped` if a stop was requested.
  func openEvaluation(_ plan: TrainingPlan, stop: StopRequest? = nil) throws -> (any ExampleSource)? {
    // Opening waits for a pipe without a writer, or a slow server.
    let opened =
      try stop.map { stop in try WaitingSource.reading(stop: stop) { try openEvaluation(named: plan) } }
      ?? openEvaluation(named: plan)
    let source = try opened.map {
      try plan.classLimit != nil
        ? $0 : ClassMapping.applied(to: $0, classes: plan.classes, names: plan.classNames)
    }
    try source?.checkReport(isStrict: configuration.data.strict)
    guard let stop, let source, !(source is any RandomAccessSource) else { return source }
    let waiting = WaitingSource(source)
    waiting.begin(stop: stop)
    return waiting
  }

  private func openEvaluation(named plan: TrainingPlan) throws -> (any ExampleSource)? {
    let isOpen = plan.classLimit != nil
    return try evaluationSource
      ?? configuration.data.evaluationSource.map {
        try SourceRegistry.open(
          $0, seed: configuration.seed, classNames: isOpen ? nil : plan.classNames, subjectKey: nil,
          classCount: isOpen ? nil : plan.classes, labelKey: configuration.data.evaluationLabelKey,
          imageColumn: configuration.data.forEvaluation(\.imageColumn, of: "hf"),
          labelColumn: configuration.data.forEvaluation(\.labelColumn, of: "hf"), hasOpenClasses: isOpen)
      }
  }

  /// Opens the evaluation data at its start again. A custom source with random access moves there.
  private func openAgain(_ plan: TrainingPlan, stop: StopRequest?) throws -> (any ExampleSource)? {
    try evaluationSource?.restore(position: 0)
    return try openEvaluation(plan, stop: stop)
  }

  /// Checks that the evaluation data can be read repeatedly.
  /// - Throws: `OnePassError` (`usage`).
  private static func checkRepeated(
    _ custom: (any ExampleSource)?, _ configuration: RunConfiguration
  ) throws {
    guard !(custom is any RandomAccessSource), let name = configuration.data.evaluationSource,
      custom != nil || RunConfiguration.isReadOnce(name)
    else { return }
    throw OnePassError.evaluationReadOnce(SourceRegistry.withoutSecrets(name))
  }

  /// Whether the model is evaluated while it trains: by `--eval-every`, or after each group of classes of the stream.
  var isEvaluatedAlongTheStream: Bool {
    if configuration.data.evaluationInterval != nil { return true }
    let canBeRepeated = evaluationSource.map { $0 is any RandomAccessSource } ?? evaluationCanBeOpenedTwice
    return stream.groups != nil && canBeRepeated && configuration.data.openClasses == nil
  }

  /// Whether the evaluation data is neither a custom source nor a pipe, such as standard input.
  var evaluationCanBeOpenedTwice: Bool {
    guard evaluationSource == nil, let name = configuration.data.evaluationSource else { return false }
    return !RunConfiguration.isReadOnce(name)
  }
}

extension RunConfiguration {
  /// Opens the training data.
  /// - Throws: As ``SourceRegistry/open(_:seed:classNames:subjectKey:classCount:labelKey:imageColumn:labelColumn:)``.
  func openData() throws -> any ExampleSource {
    if isLive { return try openLive() }
    return try SourceRegistry.open(
      data.source, seed: seedOfOrder, classNames: data.classNames, subjectKey: data.subjectKey,
      classCount: data.classCount, labelKey: data.forTraining(\.labelKey, of: "wds"),
      imageColumn: data.forTraining(\.imageColumn, of: "hf"),
      labelColumn: data.forTraining(\.labelColumn, of: "hf"), hasOpenClasses: data.openClasses != nil)
  }
}

extension RunConfiguration.DataOptions {
  /// An option about one kind of source, for the training data: `nil` if only the evaluation data is of this kind.
  ///
  /// Sources of other kinds refuse the option.
  fileprivate func forTraining<Value>(_ option: KeyPath<Self, Value?>, of kind: String) -> Value? {
    let isForEvaluation = !isKind(kind, source) && evaluationSource.map { isKind(kind, $0) } ?? false
    return isForEvaluation ? nil : self[keyPath: option]
  }

  /// An option about one kind of source, for the evaluation data: `nil` if it is of another kind.
  fileprivate func forEvaluation<Value>(_ option: KeyPath<Self, Value?>, of kind: String) -> Value? {
    evaluationSource.map { isKind(kind, $0) } ?? false ? self[keyPath: option] : nil
  }

  /// The label key of the evaluation data: not one that only messages have.
  fileprivate var evaluationLabelKey: LabelKey? {
    switch labelKey {
    case .header?, .messageKey?: nil
    default: forEvaluation(\.labelKey, of: "wds")
    }
  }

  private func isKind(_ kind: String, _ specification: String) -> Bool {
    specification.hasPrefix("\(kind):")
  }
}
