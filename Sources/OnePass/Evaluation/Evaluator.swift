import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// Evaluates a model on labelled images, with one centre crop per image.
///
/// ```swift
/// let evaluator = Evaluator(model: model, device: .cpu, pool: pool, classes: 10)
/// let test = try SourceRegistry.open("fashion-mnist:test", seed: 1)
/// print(try evaluator.evaluate(test).top1)
/// ```
public struct Evaluator {
  private let model: any ImageClassifier
  private let device: Device
  private let pool: DecodePool
  private let classes: Int
  private let batchSize: Int
  private let brokenLimit: Double
  private let isStrict: Bool
  private let ranks: Ranks

  /// Creates an evaluator of a model.
  /// - Parameters:
  ///   - model: The model.
  ///   - device: The device of the model.
  ///   - pool: Decodes the images to the input size of the model.
  ///   - classes: The number of classes of the model.
  ///   - batchSize: The mini-batch size. Results depend on it by rounding only.
  ///   - brokenLimit: The maximum share of broken images, 0 … 1.
  ///   - isStrict: Whether entries that the source leaves out are an error.
  public init(
    model: any ImageClassifier, device: Device, pool: DecodePool, classes: Int, batchSize: Int = 128,
    brokenLimit: Double = 0.1, isStrict: Bool = false
  ) {
    self.init(
      model: model, device: device, pool: pool, classes: classes, batchSize: batchSize,
      brokenLimit: brokenLimit, isStrict: isStrict, ranks: Ranks(nil))
  }

  /// An evaluator that divides the examples among ranks. Each rank receives the accuracy over all examples.
  init(
    model: any ImageClassifier, device: Device, pool: DecodePool, classes: Int, batchSize: Int = 128,
    brokenLimit: Double, isStrict: Bool = false, ranks: Ranks
  ) {
    self.isStrict = isStrict
    self.ranks = ranks
    self.brokenLimit = brokenLimit
    self.model = model
    self.device = device
    self.pool = pool
    self.classes = classes
    self.batchSize = batchSize
  }

  /// Measures accuracy and loss on the examples of a source.
  /// - Parameters:
  ///   - source: Labelled images.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - observe: Called after each mini-batch with the number of examples so far.
  /// - Throws: `OnePassError`: `badData` if a label is outside the classes or too many images are broken; `engine` if the
  ///   loss is not finite.
  public func evaluate(
    _ source: any ExampleSource, limit: Int? = nil, observe: (Int) throws -> Void = { _ in }
  ) throws -> RunResult.Accuracy {
    try evaluate(source, alreadyTaken: [], limit: limit, observe: observe)
  }

  /// - Parameters:
  ///   - taken: The first examples, which were taken from the source before.
  ///   - groups: Groups of classes whose accuracies are measured too.
  ///   - record: Called with the logits and labels of each mini-batch and its images.
  func evaluate(
    _ source: any ExampleSource, alreadyTaken taken: [Example], limit: Int?, groups: [[Int]] = [],
    observe: (Int) throws -> Void, record: ((Tensor, Tensor, ImageBatch) throws -> Void)? = nil
  ) throws -> RunResult.Accuracy {
    var metrics: [any Metric] = [TopKAccuracy(k: 1), MeanCrossEntropy()]
    if classes > 5 { metrics.append(TopKAccuracy(k: 5)) }
    metrics += groups.enumerated().map { ClassesAccuracy("group\($0)", labels: $1) }
    let measured = try measure(
      metrics, on: source, alreadyTaken: taken, limit: limit, observe: observe, record: record)
    guard let accuracy = measured["top1"], let meanLoss = measured["loss"], meanLoss.isFinite else {
      throw OnePassError.evaluationDiverged(on: source.specification)
    }
    return RunResult.Accuracy(
      top1: accuracy, top5: measured["top5"], loss: meanLoss, examples: measured.examples,
      skipped: measured.skipped, leftOut: source.report.counts, choices: source.report.choices,
      groups: groups.isEmpty ? nil : groups.indices.map { measured["group\($0)"] })
  }

  /// Measures the accuracy overall, by class and by pair of classes, and keeps the worst errors.
  /// - Parameters:
  ///   - source: Labelled images.
  ///   - card: The model, with the names of its classes.
  ///   - mistakes: The maximum number of errors that are kept with their images.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - observe: Called after each mini-batch with the number of examples so far.
  func evaluation(
    on source: any ExampleSource, of card: ModelCard, mistakes: Int, limit: Int?,
    observe: (Int) throws -> Void
  ) throws -> Evaluation {
    var details = EvaluationDetails(classes: classes, mistakes: mistakes)
    let measured = try measure([], on: source, alreadyTaken: [], limit: limit, observe: observe) {
      try details.update(logits: $0, labels: $1, examples: $2.examples, locate: source.location)
    }
    let count = Double(measured.examples)
    guard details.lossSum.isFinite else { throw OnePassError.evaluationDiverged(on: source.specification) }
    let accuracy = RunResult.Accuracy(
      top1: Double(details.correct) / count, top5: details.correctTop5.map { Double($0) / count },
      loss: details.lossSum / count, examples: measured.examples, skipped: measured.skipped,
      leftOut: source.report.counts, choices: source.report.choices)
    return Evaluation(
      source: SourceRegistry.withoutSecrets(source.specification), card: card, accuracy: accuracy,
      classes: details.classes, confusion: details.confusion, mistakes: details.mistakes)
  }

  /// Measures built-in or custom metrics on the examples of a source.
  /// - Parameters:
  ///   - metrics: New metrics with different names.
  ///   - source: Labelled images.
  ///   - limit: The maximum number of examples; all if `nil`.
  ///   - observe: Called after each mini-batch with the number of examples so far.
  /// - Throws: `OnePassError` (`badData`) if a label is outside the classes or too many images are broken.
  public func measure(
    _ metrics: [any Metric], on source: any ExampleSource, limit: Int? = nil,
    observe: (Int) throws -> Void = { _ in }
  ) throws -> Measurement {
    try measure(metrics, on: source, alreadyTaken: [], limit: limit, observe: observe)
  }

  /// - Parameter record: Called with the logits and labels of each mini-batch and its images.
  private func measure(
    _ metrics: [any Metric], on source: any ExampleSource, alreadyTaken taken: [Example], limit: Int?,
    observe: (Int) throws -> Void, record: ((Tensor, Tensor, ImageBatch) throws -> Void)? = nil
  ) throws -> Measurement {
    var metrics = metrics
    var tally = StreamTally(brokenLimit: brokenLimit, source: source)
    try Engine.prepare(device)
    let transfer = try BatchTransfer(to: device, normalisation: pool.pipeline.normalisation)
    let prepared = PreparedWeights()
    var feed = StreamFeed(source, alreadyTaken: taken, limit: limit ?? .max, isStrict: isStrict)
    var upcoming = try submit(&feed, of: source)
    while let (examples, pending) = upcoming {
      let batch = try pending.wait()
      upcoming = try submit(&feed, of: source)
      try tally.record(ranks.gather(Arrival.list(examples, decoded: batch)))
      if batch.count > 0 {
        let (images, labels) = try transfer(batch)
        let logits = try withoutGradient(reusing: prepared) { try model(images, .evaluation) }
        for index in metrics.indices { try metrics[index].update(logits: logits, labels: labels) }
        try record?(logits, labels, batch)
      }
      try observe(tally.taken)
    }
    try tally.finish()
    for index in metrics.indices { metrics[index].sums = try ranks.sum(metrics[index].sums) }
    return Measurement(metrics: metrics, examples: tally.taken - tally.skipped, skipped: tally.skipped)
  }

  private func submit(
    _ feed: inout StreamFeed, of source: any ExampleSource
  ) throws -> (examples: [Example], pending: PendingBatch)? {
    let part = try feed.next(batchSize, for: ranks.rank, of: ranks.shares)
    guard !part.isEnd else { return nil }
    for example in part.examples {
      try checkLabel(of: example, classCount: classes, in: source.specification)
    }
    let views = Array(repeating: ImagePipeline.View.centre, count: part.examples.count)
    return (part.examples, pool.submit(part.examples, views: views))
  }
}
