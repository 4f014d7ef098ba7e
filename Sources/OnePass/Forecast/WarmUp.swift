import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// Does what a run does, for some seconds and on a few images, to see how long it takes and how much RAM.
///
/// The steps are the trainer's own: decoding, draws, forward and backward passes, updates. The first ones, which also
/// allocate, are not timed. Mini-batches grow until they are the run's, or would take too long; the rest is then reckoned: time
/// in proportion to the images, RAM along the line through the last two sizes.
struct WarmUp {
  /// What was found of mini-batches of a size.
  struct Measurement {
    var batchSize: Int
    var replaySteps: Int
    var steps: Int
    /// Of those steps.
    var seconds: Double
    /// After them, in bytes.
    var peakResidentBytes: Int

    var imagesPerSecond: Double {
      Double(steps * batchSize * (replaySteps + 1)) / max(seconds, 1e-9)
    }

    /// How long a step would take, judged by this one.
    func seconds(batchSize: Int, replaySteps: Int) -> Double {
      Double(batchSize * (replaySteps + 1)) / imagesPerSecond
    }
  }

  let assembly: RunAssembly
  /// Whole images, at least one.
  let examples: [Example]
  /// The size of the last mini-batch of a pass.
  let lastBatchSize: Int

  /// A step that would take longer is not tried, in seconds.
  private static let longestStep = 4.0
  /// How long steps are timed, in seconds.
  private static let timedSeconds = 2.5

  private var configuration: RunConfiguration { assembly.configuration }
  private var replaySteps: Int { configuration.method == .replay ? configuration.replay.steps : 0 }

  /// - Returns: What was measured, and the RAM that the run's own mini-batches would take, in bytes.
  func measure() throws -> (measurement: Measurement, peakResidentBytes: Int) {
    var last = try train(1, 0, timing: 0)
    var previous = last
    while last.batchSize < configuration.recipe.batchSize {
      let next = min(configuration.recipe.batchSize, 4 * last.batchSize)
      // Without a second size nothing could be said of the RAM.
      guard last.batchSize == 1 || last.seconds(batchSize: next, replaySteps: 0) <= Self.longestStep
      else { break }
      (previous, last) = (last, try train(next, 0, timing: 0))
    }
    let isWhole = last.batchSize == configuration.recipe.batchSize
    if isWhole {
      let hasTime =
        last.seconds(batchSize: last.batchSize, replaySteps: replaySteps) <= Self.longestStep
      // A mini-batch of another size has tensors of another size, for which what the others have left is of no use.
      let second = lastBatchSize < last.batchSize ? lastBatchSize : nil
      last = try train(
        last.batchSize, hasTime ? replaySteps : 0, timing: Self.timedSeconds, secondBatchSize: second)
    }

    var bytes = last.peakResidentBytes
    if !isWhole {
      let growth = max(0, last.peakResidentBytes - previous.peakResidentBytes)
      bytes +=
        growth / (last.batchSize - previous.batchSize) * (configuration.recipe.batchSize - last.batchSize)
    }
    // The replays of a step wait decoded, all at once.
    bytes +=
      (replaySteps - last.replaySteps) * configuration.recipe.batchSize
      * assembly.card.pipeline.elementsPerImage
      * (assembly.device == .cpu ? PixelType.float32 : .uint8).size
    return (last, bytes)
  }

  /// Trains until the timed steps have taken so long, at least one.
  private func train(
    _ batchSize: Int, _ replaySteps: Int, timing: Double, secondBatchSize: Int? = nil
  ) throws -> Measurement {
    var sized = assembly
    sized.configuration.recipe.batchSize = batchSize
    sized.configuration.replay.steps = replaySteps
    sized.configuration.memory.storage = .examples(4 * batchSize)
    (sized.configuration.memory.directory, sized.configuration.memory.timeToLive) = (nil, nil)
    // Nothing is to be learnt, and nothing can diverge.
    (sized.configuration.recipe.learningRate, sized.configuration.recipe.muonLearningRate) = (1e-9, 1e-9)
    sized.plan = try TrainingPlan(
      sized.configuration, streamExamples: batchSize << 20, classes: assembly.card.classes, classNames: nil)
    var loop = sized.makeLoop(
      try sized.makeLearner(), RepeatedFeed(examples, secondCount: secondBatchSize),
      of: SampleSource(examples, count: .max))
    // The first step allocates and replays nothing; the next one brings the first replays, and a recording if there is one.
    let untimed = configuration.machine.cudaGraphs ? 4 : 2
    let clock = ContinuousClock()
    var start = clock.now
    var (steps, seconds) = (0, 0.0)
    while steps <= untimed || seconds < timing, try loop.step() != nil {
      steps += 1
      try Engine.synchronise(assembly.device)
      seconds = (clock.now - start) / .seconds(1)
      if steps == untimed { start = clock.now }
    }
    return Measurement(
      batchSize: batchSize, replaySteps: replaySteps, steps: steps - untimed, seconds: seconds,
      peakResidentBytes: ProcessMemory.peakResidentBytes)
  }

  /// Seconds in which an image is evaluated.
  /// - Parameter batchSize: Images that are evaluated at once.
  func evaluationSeconds(batchSize: Int) throws -> Double {
    let evaluator = Evaluator(
      model: assembly.model, device: assembly.device, pool: assembly.pool, classes: assembly.card.classes,
      batchSize: batchSize,
      brokenLimit: 1, ranks: Ranks(nil))
    // Mini-batches are decoded while others are evaluated, so one of them tells too much.
    let source = SampleSource(examples, count: 3 * batchSize)
    let clock = ContinuousClock()
    let start = clock.now
    _ = try evaluator.evaluate(source)
    try Engine.synchronise(assembly.device)
    return (clock.now - start) / .seconds(1) / Double(3 * batchSize)
  }
}

/// A few examples, one after the other and again, as a source of so many.
private final class SampleSource: ExampleSource {
  private var feed: RepeatedFeed
  private let count: Int
  private(set) var position = 0
  let specification = "the images of the warm-up"
  let classNames: [String]? = nil
  let knownClassCount: Int? = nil
  var knownCount: Int? { count }

  init(_ examples: [Example], count: Int) {
    feed = RepeatedFeed(examples)
    self.count = count
  }

  func next() throws -> Example? {
    guard position < count else { return nil }
    position += 1
    return try feed.next(1).first
  }

  func restore(position: Int) {
    self.position = position
    feed.resume(after: position, ledger: nil)
  }
}
