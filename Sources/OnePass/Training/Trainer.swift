import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

/// The one loop: naive one-pass training, prioritised replay and multi-epoch training.
///
/// A trainer belongs to one thread, on which all tensors live. Images are decoded ahead by the threads of
/// `pool`; no result depends on how many those are.
///
/// Source: Hu et al. 2021, section 3; the numbers in `run` are the steps of the method in the paper map.
final class Trainer {
  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  private let pool: DecodePool
  private let source: any ExampleSource
  private let observe: (TrainingEvent) -> Void

  private var feed: any ExampleFeed
  private let learner: Learner
  private let priority: any PriorityFunction
  private let storedForm: StoredForm
  private(set) var memory: ReplayMemory?
  /// What tells the memory directory of this run from others, where it has one.
  let memoryRun: String?
  /// Where each example that is taken from the stream is noted.
  let ledger: Ledger?
  private(set) var tally: StreamTally
  private(set) var arrivals = ArrivalLog()
  private(set) var online = OnlineAccuracy()
  private(set) var curve = TrainingCurve()
  private(set) var seconds = 0.0
  private(set) var stepsDone = 0
  /// Whether everything is as it was after `stepsDone` steps.
  private(set) var isBetweenSteps = true
  /// Called after each step; the run stops when it throws.
  var afterStep: (Trainer) throws -> Void = { _ in }

  init(
    configuration: RunConfiguration, plan: TrainingPlan, source: any ExampleSource, feed: any ExampleFeed,
    learner: Learner, pool: DecodePool, diskMemory: MemoryDirectory?, ledger: Ledger?,
    observe: @escaping (TrainingEvent) -> Void
  ) {
    self.configuration = configuration
    self.plan = plan
    self.source = source
    self.feed = feed
    self.learner = learner
    self.pool = pool
    self.observe = observe
    priority = configuration.priority.makeFunction(smoothing: configuration.smoothing)
    storedForm = StoredForm(configuration.memoryEncoding, pipeline: pool.pipeline)
    tally = StreamTally(brokenLimit: configuration.brokenLimit, source: source)
    memory = plan.capacity.map {
      ReplayMemory(
        capacity: $0, inclusion: InclusionProbability(recencyBias: configuration.recencyBias),
        drawing: configuration.drawing, evicting: configuration.evicting, seed: configuration.seed,
        diskImages: diskMemory?.images)
    }
    memoryRun = diskMemory?.run
    self.ledger = ledger
  }

  /// Takes over where another trainer stood after a step; nothing was trained before.
  func resume(_ saved: UnfinishedRun.Saved) throws {
    try learner.resume(saved)
    if let snapshot = saved.memory {
      guard let archive = saved.archive else {
        preconditionFailure("A checkpoint with a memory has an archive.")
      }
      if let images = memory?.diskImages {
        images.protect(saved.keptItems, in: archive)
        try images.restore(Set(snapshot.items.map(\.id)), position: saved.state.tally.taken)
      }
      try memory?.restore(snapshot) { try archive.image(id: $0.id) }
    }
    tally = StreamTally(brokenLimit: configuration.brokenLimit, source: source, counts: saved.state.tally)
    arrivals = saved.state.arrivals ?? ArrivalLog()
    online = saved.state.online
    curve = saved.state.curve
    seconds = saved.state.seconds
    stepsDone = saved.state.steps
  }

  /// Trains on the whole stream, or on what is left of it.
  /// - Throws: `OnePassError` if the stream breaks off, holds too many broken images, or the loss diverges.
  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let secondsBefore = seconds
    var upcoming = try takeIncoming()

    for step in stepsDone..<plan.steps {
      // 1. Take B examples from the stream; the next ones are decoded while these are trained.
      guard let (pending, pass, time) = upcoming else { break }
      let incoming = try pending.wait()
      upcoming = try takeIncoming()
      isBetweenSteps = false
      arrivals.note(tally.taken, at: time)
      try tally.record(incoming)
      try ledger?.settle(incoming.count + incoming.skipped.count)
      guard incoming.count > 0 else {
        stepsDone = step + 1
        isBetweenSteps = true
        continue
      }

      // 2. and 3. Draw k mini-batches from the memory, and have them decoded.
      let progress = RunProgress(step: step, of: plan.steps)
      try expire()
      let replays = try drawReplays(for: step, progress)

      // 4. Train on the incoming mini-batch and on the replayed ones.
      let gradientScale = configuration.updates == .joint ? 1 / Double(1 + replays.count) : 1
      let arrival = try learner.accumulate(incoming, scale: gradientScale)
      if configuration.updates == .sequential { try learner.update() }
      var replayLosses: [Tensor] = []
      for replay in replays {
        let batch = try decoded(replay)
        let pass = try learner.accumulate(batch, weights: replay.weights, scale: gradientScale)
        replayLosses.append(pass.losses)
        if configuration.updates == .sequential { try learner.update() }
      }
      if configuration.updates == .joint { try learner.update() }

      // 5. Offer every incoming example to the memory.
      let losses = try checked(arrival.losses.floats(), at: step)
      for (replay, tensor) in zip(replays, replayLosses) {
        refreshPriorities(of: replay, losses: try checked(tensor.floats(), at: step), progress)
      }
      try offer(incoming.examples, losses: losses, progress)

      seconds = secondsBefore + (clock.now - start) / .seconds(1)
      let correct = try zip(arrival.logits.argmax().integers(), incoming.labels).count { $0 == Int64($1) }
      if pass == 0 { online.record(correct: correct, of: losses.count) }
      report(step, losses: losses, correct: correct)
      isBetweenSteps = true
      try afterStep(self)
    }
    curve.finish()
    try tally.finish()
  }

  // MARK: Steps 1 to 3

  /// The next mini-batch on its way through the decoder, and the pass over the data that it belongs to.
  private func takeIncoming() throws -> (pending: PendingBatch, pass: Int, time: Date)? {
    // They came at this time or later, never earlier.
    let time = Date()
    let examples = try feed.next(configuration.batchSize)
    guard !examples.isEmpty else { return nil }
    for example in examples {
      try checkLabel(of: example, classCount: plan.classes, in: source.specification)
    }
    ledger?.take(examples)
    let isCentred =
      configuration.method == .naive
      || (configuration.method == .replay && configuration.incomingView == .centre)
    let pending = pool.submit(
      examples,
      views: examples.map {
        isCentred ? .centre : .augmented(seed: configuration.seed, id: $0.id, visit: feed.pass)
      })
    return (pending, feed.pass, time)
  }

  /// A replayed mini-batch on its way through the decoder.
  private struct ReplayBatch {
    let drawn: [DrawnExample]
    let weights: [Float]?
    let pending: PendingBatch
  }

  /// Removes items whose time is over.
  private func expire() throws {
    switch configuration.timeToLive {
    case .examples(let count): try memory?.forget(before: tally.taken - count)
    case .seconds(let seconds): try memory?.forget(before: arrivals.position(before: Date() - seconds))
    case nil: break
    }
  }

  private func drawReplays(for step: Int, _ progress: RunProgress) throws -> [ReplayBatch] {
    guard let held = memory?.count, held > 0 else { return [] }
    if configuration.priorityTiming == .current {
      let priority = priority
      memory?.reprioritise { Float(priority.priority(loss: Double($0), progress: progress)) }
    }
    return try (0..<configuration.replaySteps).compactMap { batch in
      guard let drawn = try memory?.draw(configuration.batchSize, step: step, batch: batch) else {
        return nil
      }
      let pending = pool.submit(
        drawn.map(\.example),
        views: drawn.map { .augmented(seed: configuration.seed, id: $0.example.id, visit: $0.visit) })
      let weights =
        configuration.importanceWeights
        ? OnePassReplay.importanceWeights(forProbabilities: drawn.map(\.probability)) : nil
      return ReplayBatch(drawn: drawn, weights: weights, pending: pending)
    }
  }

  /// The images of a replayed mini-batch, each of which was decoded before.
  private func decoded(_ replay: ReplayBatch) throws -> ImageBatch {
    let batch = try replay.pending.wait()
    if let lost = batch.skipped.first {
      throw OnePassError(
        .engine,
        "Example \(lost.id) was decoded when it arrived and cannot be decoded from the memory: \(lost.reason)"
      )
    }
    return batch
  }

  // MARK: Step 5

  private func offer(_ examples: [Example], losses: [Float], _ progress: RunProgress) throws {
    guard memory != nil else { return }
    let priorities = losses.map { Float(priority.priority(loss: Double($0), progress: progress)) }
    try memory?.offer(
      examples, losses: losses, priorities: priorities, storing: storedForm.callAsFunction)
    if let memory, memory.counters.insertions == 0 {
      let smallest =
        try examples.map { memory.cost(of: try storedForm($0.image), label: $0.label) }.min() ?? 0
      let files = memory.fixedBytes > 0 ? ", and the files \(memory.fixedBytes) without any" : ""
      throw OnePassError(
        .usage,
        "A storage of \(configuration.storage) is smaller than one image: the smallest of the first "
          + "\(examples.count) takes \(smallest) bytes with its index\(files). Give more, or use --method naive."
      )
    }
  }

  private func refreshPriorities(of replay: ReplayBatch, losses: [Float], _ progress: RunProgress) {
    guard configuration.priorityTiming == .refreshed else { return }
    for (drawn, loss) in zip(replay.drawn, losses) {
      memory?.refresh(
        drawn, loss: loss, priority: Float(priority.priority(loss: Double(loss), progress: progress)))
    }
  }

  private func checked(_ losses: [Float], at step: Int) throws -> [Float] {
    guard losses.allSatisfy(\.isFinite) else {
      throw OnePassError(
        .engine,
        "The training diverged: a loss of step \(step + 1) is not a finite number. "
          + "Lower --learning-rate (now \(configuration.learningRate)).")
    }
    return losses
  }

  private func report(_ step: Int, losses: [Float], correct: Int) {
    stepsDone = step + 1
    let counters = memory?.counters
    let fill: Double
    switch memory?.capacity {
    case .examples(let capacity): fill = Double(counters?.items ?? 0) / Double(capacity)
    case .bytes(let capacity): fill = Double(counters?.bytes ?? 0) / Double(capacity)
    case nil: fill = 0
    }
    let report = StepReport(
      step: step + 1, steps: plan.steps, examplesSeen: tally.taken, examplesTrained: learner.examplesTrained,
      updates: learner.updatesMade, examples: losses.count,
      loss: losses.reduce(0) { $0 + Double($1) } / Double(losses.count),
      accuracy: Double(correct) / Double(losses.count), learningRate: learner.learningRate,
      alpha: configuration.smoothing.alpha(at: RunProgress(step: step, of: plan.steps)),
      memoryItems: counters?.items ?? 0, memoryBytes: counters?.bytes ?? 0, memoryFill: fill, seconds: seconds
    )
    curve.record(report)
    observe(.step(report))
  }
}
