import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// A trained model from the folder of a run, for evaluation and prediction.
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
  /// The seed of the run, which gives shuffled data the same order.
  public let seed: UInt64

  /// Loads the model of a finished run.
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
    let files = try RunFiles(path)
    try self.init(
      files.modelCard(), weights: files.path(of: Checkpoint.weightsName), seed: files.position().seed,
      device: device, threads: threads, own: own)
  }

  init(
    _ card: ModelCard, weights: String, seed: UInt64, device: String, threads: Int? = nil,
    own: ModelKind? = nil
  ) throws {
    self.device = try Device(parsing: device)
    if let threads { try Engine.setThreadCount(threads) }
    (self.card, self.seed) = (card, seed)
    model = try card.makeModel(seed: seed, device: self.device, own: own)
    try model.stateDictionary.load(from: StateDictionary(safetensors: weights))
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
    let reading = try SourceRegistry.reading(of: specification)
    if let notice = reading.notice { observe(.notice(notice)) }
    return try evaluate(
      SourceRegistry.open(
        reading.specification, seed: seed, classNames: card.classNames, classCount: card.classes,
        labelKey: labelKey, imageColumn: imageColumn, labelColumn: labelColumn),
      limit: limit, isStrict: isStrict, decodeThreads: decodeThreads, observe: observe)
  }

  /// Measures accuracy and loss on the examples of a source.
  /// - Parameters:
  ///   - source: Images with labels of the model's classes.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - isStrict: Whether entries that the source leaves out are an error.
  ///   - decodeThreads: The number of image decoding threads; one per core if `nil`.
  ///   - observe: Called after each mini-batch, and with notices.
  /// - Throws: `OnePassError` (`badData`) if a label is outside the classes or too many images are broken.
  public func evaluate(
    _ source: any ExampleSource, limit: Int? = nil, isStrict: Bool = false, decodeThreads: Int? = nil,
    observe: (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult.Accuracy {
    let total = limit ?? source.knownCount
    try source.checkReport(isStrict: isStrict)
    return try withoutActuallyEscaping(observe) { observe in
      let notices = ReportNotices(of: source.specification) { observe(.notice($0)) }
      notices.update(source.report)
      let accuracy = try evaluating(decodeThreads, isStrict: isStrict) { evaluator in
        try evaluator.evaluate(source, limit: limit) { observe(.evaluated(examples: $0, total: total)) }
      }
      notices.finish(source.report)
      return accuracy
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
      pipeline: card.pipeline, threads: decodeThreads ?? machineCores(), feeding: device)
    defer { pool.shutdown() }
    return try body(
      Evaluator(model: model, device: device, pool: pool, classes: card.classes, isStrict: isStrict))
  }

  /// Predicts the most likely classes of image files.
  /// - Parameters:
  ///   - paths: Image files.
  ///   - top: The number of classes per image.
  /// - Throws: `OnePassError`: `io` if a file cannot be read, `badData` if it cannot be decoded.
  public func predict(_ paths: [String], top: Int = 5) throws -> [Prediction] {
    try predicting(top: top) { classes in
      try paths.map { path in
        guard let data = FileManager.default.contents(atPath: path) else {
          throw OnePassError.unreadableImage(path)
        }
        let image = EncodedImage(bytes: Array(data))
        return Prediction(image: path, classes: try Self.naming(path) { try classes(image) })
      }
    }
  }

  /// Predicts the most likely classes of images in memory.
  /// - Parameters:
  ///   - images: Image files, or pixels.
  ///   - top: The number of classes per image.
  /// - Returns: The classes of each image, the most likely first.
  /// - Throws: `OnePassError` (`badData`) if an image cannot be decoded.
  public func predict(_ images: [EncodedImage], top: Int = 5) throws -> [[Prediction.Class]] {
    try predicting(top: top) { classes in
      try images.enumerated().map { index, image in
        try Self.naming("Image \(index)") { try classes(image) }
      }
    }
  }

  /// Adds the name of the image to errors of the decoder.
  private static func naming<Result>(_ image: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as OnePassError where error.code == .badData {
      throw OnePassError.undecodableImage(image, cause: error)
    }
  }

  /// Calls `body` with a function that predicts the most likely classes of an image, the most likely first.
  ///
  /// The function throws `OnePassError` (`badData`) if the image cannot be decoded.
  func predicting<Result>(
    top: Int, _ body: ((EncodedImage) throws -> [Prediction.Class]) throws -> Result
  ) throws -> Result {
    let pool = DecodePool(pipeline: card.pipeline, threads: 1, feeding: device)
    defer { pool.shutdown() }
    let transfer = try BatchTransfer(to: device, normalisation: card.pipeline.normalisation)
    return try body { image in
      let batch = try pool.submit([Example(id: 0, label: 0, image: image)], views: [.centre]).wait()
      if let problem = batch.skipped.first { throw OnePassError.undecodableImage(reason: problem.reason) }
      let images = try transfer(batch).images
      let (logits, probabilities) = try withoutGradient {
        let logits = try model(images, .evaluation)
        return (try logits.floats(), try logits.softmax().floats())
      }
      let ranked = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }.prefix(top)
      return ranked.map {
        .init(
          label: $0, name: card.className($0), probability: Double(probabilities[$0]),
          logit: Double(logits[$0]))
      }
    }
  }
}

/// The predicted classes of an image file.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// for prediction in try model.predict(["boot.png"], top: 1) {
///   print(prediction.image, prediction.classes[0].name)
/// }
/// ```
public struct Prediction: Codable, Hashable, Sendable {
  /// A class with its probability.
  public struct Class: Codable, Hashable, Sendable {
    /// The label of the class, 0 ..< the number of classes.
    public let label: Int
    /// The name of the class, or `class 3` if the classes have no names.
    public let name: String
    /// The probability, 0 … 1. The probabilities of all classes of the model sum to 1.
    public let probability: Double
    /// The output of the model, before the softmax.
    public let logit: Double
  }

  /// The path of the image.
  public let image: String
  /// The classes, the most likely first.
  public let classes: [Class]
}
