import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// A trained model from the folder of a run, finished or not, for evaluation and prediction.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// print(try model.evaluate("fashion-mnist:test").top1)
/// ```
///
/// It must be used on the thread that created it.
public struct TrainedModel {
  /// The architecture, the classes and the preparation of images.
  public let card: ModelCard
  /// The model with its trained weights.
  public let model: any ImageClassifier
  /// The device of the model.
  public let device: Device
  /// The seed of the training run; shuffled evaluation data uses it.
  public let seed: UInt64
  /// The progress of the run.
  public let stage: RunStage

  /// Loads the model of a finished run, or that of the last checkpoint of an unfinished one.
  /// - Parameters:
  ///   - path: The folder of a run, or the `checkpoint` folder in it.
  ///   - device: `auto`, `cpu`, `cuda` or `cuda:i`.
  ///   - threads: The number of CPU compute threads; one per core if `nil`.
  ///   - own: The custom kind of the model, if it was trained with one.
  /// - Throws: `OnePassError`: `io` if there is no checkpoint, `badData` if it is damaged, `usage` if there is
  ///   no such device, or the model is of another kind.
  public init(checkpoint path: String, device: String = "auto", threads: Int? = nil, own: ModelKind? = nil)
    throws
  {
    if let last = try UnfinishedRun.lastCheckpoint(of: path) {
      try self.init(last, device: device, threads: threads, own: own)
      return
    }
    let files = try RunFiles(path)
    try self.init(
      files.modelCard(), weights: StateDictionary(safetensors: files.path(of: Checkpoint.weightsName)),
      seed: files.position().seed, device: device, threads: threads, own: own)
  }

  private init(_ last: UnfinishedRun.Contents, device: String, threads: Int?, own: ModelKind?) throws {
    try self.init(
      last.state.card, weights: last.trainedWeights(), seed: last.state.configuration.seed,
      stage: RunStage(last.state, at: last.folder), device: device, threads: threads, own: own)
  }

  init(
    _ card: ModelCard, weights: StateDictionary? = nil, seed: UInt64, stage: RunStage = .finished,
    device: String,
    threads: Int? = nil, own: ModelKind? = nil
  ) throws {
    self.device = try Device(parsing: device)
    try Engine.load()
    try ComputeThreads.set(threads)
    (self.card, self.seed, self.stage) = (card, seed, stage)
    model = try card.makeModel(seed: seed, device: self.device, own: own)
    if let weights { try model.stateDictionary.load(from: weights) }
  }

  /// Measures accuracy and loss on a named data set.
  /// - Parameters:
  ///   - specification: The source specification of labelled images.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - labelKey: Where WebDataset samples have their label; the `.cls` entry if `nil`.
  ///   - imageColumn: The column of images in Parquet files; it is chosen by types and names if `nil`.
  ///   - labelColumn: The column of labels in Parquet files; it is chosen by types and names if `nil`.
  ///   - isStrict: Whether entries that the data set leaves out are an error.
  ///   - decodeThreads: The number of image decoding threads; one per core if `nil`.
  ///   - observe: Called after each mini-batch, and with notices.
  /// - Throws: `OnePassError`: `usage`, `io` if the source cannot be opened; `badData` if a label is outside the classes or too
  ///   many images are broken.
  public func evaluate(
    _ specification: String, limit: Int? = nil, labelKey: LabelKey? = nil, imageColumn: String? = nil,
    labelColumn: String? = nil, isStrict: Bool = false, decodeThreads: Int? = nil,
    observe: (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult.Accuracy {
    try evaluate(
      open(specification, labelKey, imageColumn, labelColumn, nil, observe), limit: limit, isStrict: isStrict,
      decodeThreads: decodeThreads, observe: observe)
  }

  /// Measures accuracy and loss on the examples of a source.
  /// - Parameters:
  ///   - source: Labelled images. Classes are matched by name if both the source and the model name them.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - isStrict: Whether entries that the source leaves out are an error.
  ///   - decodeThreads: The number of image decoding threads; one per core if `nil`.
  ///   - observe: Called after each mini-batch, and with notices.
  /// - Throws: `OnePassError` (`badData`) if a label is outside the classes or too many images are broken.
  public func evaluate(
    _ source: any ExampleSource, limit: Int? = nil, isStrict: Bool = false, decodeThreads: Int? = nil,
    observe: (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult.Accuracy {
    try evaluating(source, limit, isStrict, decodeThreads, observe) { evaluator, source, progress in
      try evaluator.evaluate(source, limit: limit, observe: progress)
    }
  }

  /// Measures the accuracy on a named data set overall, by class and by pair of classes, and keeps the worst errors.
  /// - Parameters:
  ///   - specification: The source specification of labelled images.
  ///   - mistakes: The maximum number of misclassified examples that are kept with their images.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - labelKey: Where WebDataset samples have their label; the `.cls` entry if `nil`.
  ///   - imageColumn: The column of images in Parquet files; found by its name and type if `nil`.
  ///   - labelColumn: The column of labels in Parquet files; found by its name and type if `nil`.
  ///   - classNames: The names of the model's classes in label order, if the model has none and the data names its classes.
  ///   - isStrict: Whether entries that the data set leaves out are an error.
  ///   - decodeThreads: The number of image decoding threads; one per core if `nil`.
  ///   - observe: Called after each mini-batch, and with notices.
  /// - Throws: `OnePassError`: `usage`, `io` if the source cannot be opened; `badData` if a label is outside the classes or too
  ///   many images are broken.
  public func evaluation(
    on specification: String, mistakes: Int = 50, limit: Int? = nil, labelKey: LabelKey? = nil,
    imageColumn: String? = nil, labelColumn: String? = nil, classNames: [String]? = nil,
    isStrict: Bool = false, decodeThreads: Int? = nil, observe: (TrainingEvent) -> Void = { _ in }
  ) throws -> Evaluation {
    try evaluation(
      on: open(specification, labelKey, imageColumn, labelColumn, classNames, observe), mistakes: mistakes,
      limit: limit, isStrict: isStrict, decodeThreads: decodeThreads, observe: observe)
  }

  /// Measures the accuracy on the examples of a source overall, by class and by pair of classes, and keeps the worst errors.
  /// - Parameters:
  ///   - source: Labelled images. Classes are matched by name if both the source and the model name them.
  ///   - mistakes: The maximum number of misclassified examples that are kept with their images.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - isStrict: Whether entries that the source leaves out are an error.
  ///   - decodeThreads: The number of image decoding threads; one per core if `nil`.
  ///   - observe: Called after each mini-batch, and with notices.
  /// - Throws: `OnePassError` (`badData`) if a class is not one of the model's, or too many images are broken.
  public func evaluation(
    on source: any ExampleSource, mistakes: Int = 50, limit: Int? = nil, isStrict: Bool = false,
    decodeThreads: Int? = nil, observe: (TrainingEvent) -> Void = { _ in }
  ) throws -> Evaluation {
    try evaluating(source, limit, isStrict, decodeThreads, observe) { evaluator, source, progress in
      try evaluator.evaluation(
        on: source, of: card, mistakes: mistakes, limit: limit, observe: progress)
    }
  }

  private func open(
    _ specification: String, _ labelKey: LabelKey?, _ imageColumn: String?, _ labelColumn: String?,
    _ classNames: [String]?, _ observe: (TrainingEvent) -> Void
  ) throws -> any ExampleSource {
    if let classNames {
      guard card.classNames == nil else { throw OnePassError.modelHasClassNames() }
      guard classNames.count == card.classes else {
        throw OnePassError.classNameCountDiffers(classNames.count, of: card.classes)
      }
    }
    let reading = try SourceRegistry.reading(of: specification)
    if let notice = reading.notice { observe(.notice(notice)) }
    return try SourceRegistry.open(
      reading.specification, seed: seed, classNames: card.classNames ?? classNames, classCount: card.classes,
      labelKey: labelKey, imageColumn: imageColumn, labelColumn: labelColumn)
  }

  /// Calls `body` with an evaluator, the source with the labels of the model, and a function that reports progress.
  private func evaluating<Result>(
    _ source: any ExampleSource, _ limit: Int?, _ isStrict: Bool, _ decodeThreads: Int?,
    _ observe: (TrainingEvent) -> Void,
    _ body: (Evaluator, any ExampleSource, (Int) -> Void) throws -> Result
  ) throws -> Result {
    let source = try ClassMapping.applied(to: source, classes: card.classes, names: card.classNames)
    let total = limit ?? source.knownCount
    try source.checkReport(isStrict: isStrict)
    return try withoutActuallyEscaping(observe) { observe in
      let notices = ReportNotices(of: source.specification) { observe(.notice($0)) }
      notices.update(source.report)
      let result = try evaluating(decodeThreads, isStrict: isStrict) { evaluator in
        try body(evaluator, source) { observe(.evaluated(examples: $0, total: total)) }
      }
      notices.finish(source.report)
      return result
    }
  }

  /// Measures built-in or custom metrics on the examples of a source.
  /// - Parameters:
  ///   - metrics: New metrics with different names.
  ///   - source: Images with labels of the model's classes.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - decodeThreads: The number of image decoding threads; one per core if `nil`.
  /// - Throws: `OnePassError` (`badData`) if a label is outside the classes or too many images are broken.
  public func measure(
    _ metrics: [any Metric], on source: any ExampleSource, limit: Int? = nil, decodeThreads: Int? = nil
  ) throws -> Measurement {
    try evaluating(decodeThreads) { try $0.measure(metrics, on: source, limit: limit) }
  }

  private func evaluating<Result>(
    _ decodeThreads: Int?, isStrict: Bool = false, _ body: (Evaluator) throws -> Result
  ) throws -> Result {
    let pool = DecodePool(
      pipeline: card.pipeline, threads: decodeThreads ?? AvailableProcessors.current.count, feeding: device)
    defer { pool.shutdown() }
    return try body(
      Evaluator(model: model, device: device, pool: pool, classes: card.classes, isStrict: isStrict))
  }
}
