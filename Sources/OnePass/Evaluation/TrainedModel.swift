import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// A trained model, read back from a run's folder, for evaluation and prediction.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// print(try model.evaluate("fashion-mnist:test").top1)
/// ```
///
/// It belongs to the thread that made it.
public struct TrainedModel {
  public let card: ModelCard
  public let model: any ImageClassifier
  public let device: Device
  /// The seed of the run, so that a part of shuffled data is the same part.
  public let seed: UInt64

  /// - Parameters:
  ///   - path: The folder of a run, or the `checkpoint` folder in it.
  ///   - device: `auto`, `cpu`, `cuda` or `cuda:i`.
  ///   - threads: Threads that compute on the CPU; one for each core if `nil`.
  ///   - own: The program's own kind of model, where it was trained with one.
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

  /// Measures the model on the images that a source specification names.
  public func evaluate(
    _ specification: String, limit: Int? = nil, decodeThreads: Int? = nil,
    observe: (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult.Accuracy {
    try evaluate(
      SourceRegistry.open(specification, seed: seed, classNames: card.classNames), limit: limit,
      decodeThreads: decodeThreads, observe: observe)
  }

  /// Measures the model on labelled images of a program's own.
  /// - Parameters:
  ///   - source: The images; their labels are those of the model's classes.
  ///   - limit: The most examples to take; all if `nil`.
  ///   - decodeThreads: Threads that decode images; one for each core if `nil`.
  ///   - observe: Called after each mini-batch.
  public func evaluate(
    _ source: any ExampleSource, limit: Int? = nil, decodeThreads: Int? = nil,
    observe: (TrainingEvent) -> Void = { _ in }
  ) throws -> RunResult.Accuracy {
    let total = limit ?? source.knownCount
    return try evaluating(decodeThreads) { evaluator in
      try evaluator.evaluate(source, limit: limit) { observe(.evaluated(examples: $0, total: total)) }
    }
  }

  /// Takes metrics of a program's own over labelled images.
  /// - Parameters:
  ///   - metrics: Metrics that have seen nothing yet, each with a name of its own.
  ///   - source: The images.
  ///   - limit: The most examples to take; all if `nil`.
  ///   - decodeThreads: Threads that decode images; one for each core if `nil`.
  public func measure(
    _ metrics: [any Metric], on source: any ExampleSource, limit: Int? = nil, decodeThreads: Int? = nil
  ) throws -> Measurement {
    try evaluating(decodeThreads) { try $0.measure(metrics, on: source, limit: limit) }
  }

  private func evaluating<Result>(
    _ decodeThreads: Int?, _ body: (Evaluator) throws -> Result
  ) throws -> Result {
    let pool = DecodePool(
      pipeline: card.pipeline, threads: decodeThreads ?? machineCores(), feeding: device)
    defer { pool.shutdown() }
    return try body(Evaluator(model: model, device: device, pool: pool, classes: card.classes))
  }

  /// The most likely classes of image files.
  /// - Parameters:
  ///   - paths: JPEG or PNG files.
  ///   - top: How many classes to name for each image.
  /// - Throws: `OnePassError`: `io` if a file cannot be read, `badData` if it is no image.
  public func predict(_ paths: [String], top: Int = 5) throws -> [Prediction] {
    try predicting(top: top) { classes in
      try paths.map { path in
        guard let data = FileManager.default.contents(atPath: path) else {
          throw OnePassError(.io, "The image \(path) cannot be read: give a JPEG or PNG file.")
        }
        let image = EncodedImage(bytes: Array(data))
        return Prediction(image: path, classes: try Self.naming(path) { try classes(image) })
      }
    }
  }

  /// The most likely classes of images.
  /// - Parameters:
  ///   - images: JPEG or PNG files, or bare pixels.
  ///   - top: How many classes to name for each image.
  /// - Returns: For each image its classes, the most likely first.
  /// - Throws: `OnePassError` (`badData`) if one is no image.
  public func predict(_ images: [EncodedImage], top: Int = 5) throws -> [[Prediction.Class]] {
    try predicting(top: top) { classes in
      try images.enumerated().map { index, image in
        try Self.naming("at \(index)") { try classes(image) }
      }
    }
  }

  /// Says which image it is that cannot be decoded.
  private static func naming<Result>(_ image: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as OnePassError where error.code == .badData {
      throw OnePassError(.badData, "The image \(image) cannot be decoded. \(error.message)", cause: error)
    }
  }

  /// Calls `body` with a function that names the most likely classes of an image, the most likely first; it throws
  /// `OnePassError` (`badData`) if the image cannot be decoded.
  func predicting<Result>(
    top: Int, _ body: ((EncodedImage) throws -> [Prediction.Class]) throws -> Result
  ) throws -> Result {
    let pool = DecodePool(pipeline: card.pipeline, threads: 1, feeding: device)
    defer { pool.shutdown() }
    let transfer = try BatchTransfer(to: device, normalisation: card.pipeline.normalisation)
    return try body { image in
      let batch = try pool.submit([Example(id: 0, label: 0, image: image)], views: [.centre]).wait()
      if let problem = batch.skipped.first { throw OnePassError(.badData, problem.reason) }
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

/// What a model takes an image for.
public struct Prediction: Codable, Hashable, Sendable {
  public struct Class: Codable, Hashable, Sendable {
    public let label: Int
    public let name: String
    /// 0 … 1; all classes of the model sum to 1.
    public let probability: Double
    /// What the model gave, before softmax.
    public let logit: Double
  }

  /// The file.
  public let image: String
  /// The most likely first.
  public let classes: [Class]
}
