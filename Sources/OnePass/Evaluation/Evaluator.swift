import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// Measures a model on labelled images, by a single centre crop of each.
public struct Evaluator {
  private let model: any ImageClassifier
  private let device: Device
  private let pool: DecodePool
  private let classes: Int
  private let batchSize: Int
  private let brokenLimit: Double
  private let ranks: Ranks

  /// - Parameters:
  ///   - model: The model to measure.
  ///   - device: Where the model lies.
  ///   - pool: Decodes the images as the model takes them.
  ///   - classes: The number of the model's classes.
  ///   - batchSize: Images that the model takes at once; no figure depends on it beyond rounding.
  ///   - brokenLimit: The share of broken images, 0 … 1, above which the images count as broken.
  public init(
    model: any ImageClassifier, device: Device, pool: DecodePool, classes: Int, batchSize: Int = 128,
    brokenLimit: Double = 0.1
  ) {
    self.init(
      model: model, device: device, pool: pool, classes: classes, batchSize: batchSize,
      brokenLimit: brokenLimit,
      ranks: Ranks(nil))
  }

  /// As above, the examples divided among ranks; each gets the accuracy over all of them.
  init(
    model: any ImageClassifier, device: Device, pool: DecodePool, classes: Int, batchSize: Int = 128,
    brokenLimit: Double, ranks: Ranks
  ) {
    self.ranks = ranks
    self.brokenLimit = brokenLimit
    self.model = model
    self.device = device
    self.pool = pool
    self.classes = classes
    self.batchSize = batchSize
  }

  /// Evaluates every example of the source, the smaller last mini-batch included.
  /// - Parameters:
  ///   - source: Labelled images.
  ///   - limit: The most examples to take; all if `nil`.
  ///   - observe: Called after each mini-batch with the number of examples seen.
  /// - Throws: `OnePassError` (`badData`) if a label is outside the classes or too many images are broken.
  public func evaluate(
    _ source: any ExampleSource, limit: Int? = nil, observe: (Int) throws -> Void = { _ in }
  ) throws -> RunResult.Accuracy {
    var metrics: [any Metric] = [TopKAccuracy(k: 1), MeanCrossEntropy()]
    if classes > 5 { metrics.append(TopKAccuracy(k: 5)) }
    let measured = try measure(metrics, on: source, limit: limit, observe: observe)
    guard let accuracy = measured["top1"], let meanLoss = measured["loss"], meanLoss.isFinite else {
      throw OnePassError(
        .engine, "The model's loss on \(source.specification) is not a finite number: it has diverged.")
    }
    return RunResult.Accuracy(
      top1: accuracy, top5: measured["top5"], loss: meanLoss, examples: measured.examples,
      skipped: measured.skipped)
  }

  /// Takes metrics, which may be a program's own, over every example of the source.
  /// - Parameters:
  ///   - metrics: Metrics that have seen nothing yet, each with a name of its own.
  ///   - source: Labelled images.
  ///   - limit: The most examples to take; all if `nil`.
  ///   - observe: Called after each mini-batch with the number of examples seen.
  /// - Throws: `OnePassError` (`badData`) if a label is outside the classes or too many images are broken.
  public func measure(
    _ metrics: [any Metric], on source: any ExampleSource, limit: Int? = nil,
    observe: (Int) throws -> Void = { _ in }
  ) throws -> Measurement {
    var metrics = metrics
    var tally = StreamTally(brokenLimit: brokenLimit, source: source)
    try Engine.prepare(device)
    let transfer = try BatchTransfer(to: device, normalisation: pool.pipeline.normalisation)
    var feed = StreamFeed(source, alreadyTaken: [], limit: limit ?? .max)
    var upcoming = try submit(&feed, of: source)
    while let (examples, pending) = upcoming {
      let batch = try pending.wait()
      upcoming = try submit(&feed, of: source)
      try tally.record(ranks.gather(Arrival.list(examples, decoded: batch)))
      if batch.count > 0 {
        let (images, labels) = try transfer(batch)
        let logits = try withoutGradient { try model(images, .evaluation) }
        for index in metrics.indices { try metrics[index].update(logits: logits, labels: labels) }
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
