import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// Trains for a few seconds on a few images, to measure time and resident memory.
///
/// It runs real training steps: decoding, draws, forward and backward passes, updates. The first steps also allocate and are
/// not timed. The mini-batch size grows up to that of the run, unless a step would take too long. In that case time is
/// extrapolated in proportion to the images, and memory linearly from the last two sizes.
struct WarmUp {
  /// The measurements with one mini-batch size.
  struct Measurement {
    var batchSize: Int
    var replaySteps: Int
    var steps: Int
    /// The duration of the steps.
    var seconds: Double
    /// The peak after the steps, in bytes.
    var peakResidentBytes: Int

    var imagesPerSecond: Double {
      Double(steps * batchSize * (replaySteps + 1)) / max(seconds, 1e-9)
    }

    /// The estimated duration of a step of another size.
    func seconds(batchSize: Int, replaySteps: Int) -> Double {
      Double(batchSize * (replaySteps + 1)) / imagesPerSecond
    }
  }

  let assembly: RunAssembly
  /// Intact images, at least one.
  let examples: [Example]
  /// The size of the last mini-batch of a pass.
  let lastBatchSize: Int

  /// The maximum estimated duration of a step that is tried, in seconds.
  private static let longestStep = 4.0
  /// The minimum total duration of the timed steps, in seconds.
  private static let timedSeconds = 2.5

  private var configuration: RunConfiguration { assembly.configuration }
  private var replaySteps: Int { configuration.method == .replay ? configuration.replay.steps : 0 }

  /// Measures steps of growing size.
  /// - Returns: The last measurement, and the peak resident memory with the mini-batches of the run, in bytes.
  func measure() throws -> (measurement: Measurement, peakResidentBytes: Int) {
    var last = try train(1, 0, timing: 0)
    var previous = last
    while last.batchSize < configuration.recipe.batchSize {
      let next = min(configuration.recipe.batchSize, 4 * last.batchSize)
      // The extrapolation of memory needs a second size.
      guard last.batchSize == 1 || last.seconds(batchSize: next, replaySteps: 0) <= Self.longestStep
      else { break }
      (previous, last) = (last, try train(next, 0, timing: 0))
    }
    let isWhole = last.batchSize == configuration.recipe.batchSize
    if isWhole {
      let hasTime =
        last.seconds(batchSize: last.batchSize, replaySteps: replaySteps) <= Self.longestStep
      // The last mini-batch of another size allocates again, since freed tensors of other sizes cannot be reused.
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
    // All decoded replays of a step are in memory at once.
    bytes +=
      (replaySteps - last.replaySteps) * configuration.recipe.batchSize
      * assembly.card.pipeline.elementsPerImage
      * (assembly.device == .cpu ? PixelType.float32 : .uint8).size
    return (last, bytes)
  }

  /// Trains at least one timed step, until the timed steps have taken `timing` seconds.
  private func train(
    _ batchSize: Int, _ replaySteps: Int, timing: Double, secondBatchSize: Int? = nil
  ) throws -> Measurement {
    var sized = assembly
    sized.configuration.recipe.batchSize = batchSize
    sized.configuration.replay.steps = replaySteps
    sized.configuration.memory.storage = .examples(4 * batchSize)
    (sized.configuration.memory.directory, sized.configuration.memory.timeToLive) = (nil, nil)
    sized.configuration.memory.key = nil
    // With this rate the training cannot diverge.
    (sized.configuration.recipe.learningRate, sized.configuration.recipe.muonLearningRate) = (1e-9, 1e-9)
    sized.plan = try TrainingPlan(
      sized.configuration, streamExamples: batchSize << 20, classes: assembly.card.classes, classNames: nil)
    var loop = sized.makeLoop(
      try sized.makeLearner(), RepeatedFeed(examples, secondCount: secondBatchSize),
      of: SampleSource(examples, count: .max))
    // The first step allocates and has no replays. The second has the first replays; graphs are captured after it.
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

  /// The duration of the evaluation of one image, in seconds.
  /// - Parameter batchSize: The number of images in a mini-batch.
  func evaluationSeconds(batchSize: Int) throws -> Double {
    let evaluator = Evaluator(
      model: assembly.model, device: assembly.device, pool: assembly.pool, classes: assembly.card.classes,
      batchSize: batchSize,
      brokenLimit: 1, ranks: Ranks(nil))
    // Decoding overlaps with evaluation, so a single mini-batch would overestimate the time.
    let source = SampleSource(examples, count: 3 * batchSize)
    let clock = ContinuousClock()
    let start = clock.now
    _ = try evaluator.evaluate(source)
    try Engine.synchronise(assembly.device)
    return (clock.now - start) / .seconds(1) / Double(3 * batchSize)
  }
}

/// A source of `count` examples that repeats a few.
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
    feed.resume(after: position, ledger: nil, .sample)
  }
}
