import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// Takes the running statistics of batch normalisation anew, over images that are still at hand.
///
/// Each becomes the mean of what is found in mini-batches of them with the weights as they are at the end (Wu and Johnson 2021,
/// "Rethinking 'Batch' in BatchNorm", section 3), each mini-batch by its size. Images are seen as in evaluation, for which the
/// statistics are meant. With several processes the mean is over the mini-batches of all.
struct BatchNormReestimation {
  /// The examples of this process, by their place among them.
  struct Examples {
    let count: Int
    let part: (Range<Int>) throws -> [Example]
  }

  let model: any ImageClassifier
  let device: Device
  let pool: DecodePool
  let batchSize: Int
  let ranks: Ranks

  /// - Returns: How many images passed forward, in all processes.
  func callAsFunction(over examples: Examples) throws -> Int {
    try Engine.prepare(device)
    let transfer = try BatchTransfer(to: device, normalisation: pool.pipeline.normalisation)
    func submit(_ start: Int) throws -> PendingBatch? {
      guard start < examples.count else { return nil }
      let part = try examples.part(start..<min(start + batchSize, examples.count))
      return pool.submit(part, views: part.map { _ in .centre })
    }
    var (start, passed) = (0, 0)
    var upcoming = try submit(start)
    while let pending = upcoming {
      let batch = try pending.wait()
      start += batchSize
      upcoming = try submit(start)
      guard batch.count > 0 else { continue }
      passed += batch.count
      let images = try transfer(batch).images
      _ = try withoutGradient {
        try model(images, .reestimation(share: Double(batch.count) / Double(passed)))
      }
    }
    return try combine(passed)
  }

  /// Gives all ranks the mean of their statistics, each by the number of its images.
  private func combine(_ passed: Int) throws -> Int {
    guard ranks.count > 1 else { return passed }
    let statistics = model.buffers.map(\.tensor).filter { $0.elementType == .float32 }
    let mine = try statistics.flatMap { try $0.floats().map { Double($0) * Double(passed) } }
    let sums = try ranks.sum([Double(passed)] + mine)
    guard sums[0] > 0 else { return 0 }
    var values = sums.dropFirst().map { Float($0 / sums[0]) }[...]
    for tensor in statistics {
      try tensor.copy(from: Tensor(Array(values.prefix(tensor.count)), shape: tensor.shape))
      values = values.dropFirst(tensor.count)
    }
    return Int(sums[0])
  }
}

extension TrainingRun {
  /// What a re-estimation cost: images, and seconds.
  typealias Reestimation = (examples: Int, seconds: Double)

  /// Takes the running statistics anew where that is asked for, over what is still at hand.
  func reestimateBatchNorm(
    of learner: Learner, _ trainer: Trainer, _ kept: (any RandomAccessSource)?, _ pool: DecodePool,
    _ ranks: Ranks
  ) throws -> Reestimation? {
    guard configuration.recipe.reestimateBatchNorm,
      let examples = kept.map({ BatchNormReestimation.Examples(of: $0, ranks) })
        ?? trainer.memory.map(BatchNormReestimation.Examples.init(of:))
    else { return nil }
    let clock = ContinuousClock()
    let start = clock.now
    let reestimation = BatchNormReestimation(
      model: learner.model, device: learner.device, pool: pool, batchSize: configuration.recipe.batchSize,
      ranks: ranks)
    let count = try reestimation(over: examples)
    try Engine.synchronise(learner.device)
    return (count, (clock.now - start) / .seconds(1))
  }
}

extension BatchNormReestimation.Examples {
  /// What a memory holds in this process, in the order of the stream.
  init(of memory: ReplayMemory) {
    let slots = memory.slotsHere
    self.init(count: slots.count) { try memory.examples(in: slots[$0]) }
  }

  /// This rank's part of data that is all kept.
  init(of source: any RandomAccessSource, _ ranks: Ranks) {
    let mine = ranks.rank * source.count / ranks.count..<(ranks.rank + 1) * source.count / ranks.count
    self.init(count: mine.count) { part in
      try part.map { try source.example(at: mine.lowerBound + $0) }
    }
  }
}
