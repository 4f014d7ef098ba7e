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
  let configuration: RunConfiguration
  private let plan: TrainingPlan
  private let pool: DecodePool
  private let source: any ExampleSource
  private let observe: (TrainingEvent) -> Void
  let ranks: Ranks

  private var feed: any ExampleFeed
  private let learner: Learner
  private var priorities: PriorityRule
  let storedForm: StoredForm
  private(set) var memory: ReplayMemory?
  /// The way of the memory's images between ranks, where several share it.
  let sharedImages: ImageTransfer?
  /// What tells the memory directory of this run from others, where it has one.
  let memoryRun: String?
  /// Where each example that is taken from the stream is noted.
  let ledger: Ledger?
  private(set) var tally: StreamTally
  private(set) var arrivals = ArrivalLog()
  private(set) var online = OnlineAccuracy()
  private(set) var curve = TrainingCurve()
  /// What was told of the last step.
  private(set) var lastReport: StepReport?
  private(set) var seconds = 0.0
  /// Of these, the seconds in which the device had nothing to do because images were not decoded yet; on a GPU at most.
  private(set) var imageWaitSeconds = 0.0
  private(set) var stepsDone = 0
  /// Examples back-propagated so far, replays included, by all ranks.
  private(set) var trained = TrainedExamples()
  private(set) var end: RunEnd
  /// Whether everything is as it was after `stepsDone` steps.
  private(set) var isBetweenSteps = true
  /// What this process has to say at the end of a step.
  var requests: (_ stepsDone: Int) -> StepRequests = { _ in StepRequests() }
  /// Called after each step, on every rank with the same requests; the run stops when it throws.
  var afterStep: (Trainer, _ stop: Bool, _ save: Bool) throws -> Void = { _, _, _ in }

  init(
    configuration: RunConfiguration, parts: MethodParts, plan: TrainingPlan, source: any ExampleSource,
    feed: any ExampleFeed, learner: Learner, pool: DecodePool, diskMemory: MemoryDirectory?, ledger: Ledger?,
    ranks: Ranks, observe: @escaping (TrainingEvent) -> Void
  ) {
    self.configuration = configuration
    self.plan = plan
    self.source = source
    self.feed = feed
    self.learner = learner
    self.pool = pool
    self.observe = observe
    self.ranks = ranks
    priorities = PriorityRule(parts.priority, timing: configuration.replay.priorityTiming)
    storedForm = StoredForm(configuration.storedFormat, pipeline: pool.pipeline)
    tally = StreamTally(brokenLimit: configuration.data.brokenLimit, source: source)
    end = RunEnd(configuration, plan)
    let shared = ranks.count > 1 && plan.capacity != nil ? SharedImages() : nil
    sharedImages = shared.map { ImageTransfer($0, ranks: ranks) }
    memory = plan.capacity.map {
      ReplayMemory(
        capacity: $0, inclusion: InclusionProbability(recencyBias: configuration.memory.recencyBias),
        drawing: parts.drawing, evicting: parts.evicting, seed: configuration.seed,
        store: shared ?? diskMemory?.images, predictedClasses: configuration.predictedClasses(of: plan))
    }
    memoryRun = diskMemory?.run
    self.ledger = ledger
  }

  /// Takes over where another trainer stood after a step; nothing was trained before.
  func resume(_ saved: UnfinishedRun.Saved) throws {
    try learner.resume(saved)
    if let snapshot = saved.memory {
      func image(_ id: Int) throws -> EncodedImage {
        guard let archive = saved.archive else {
          preconditionFailure("A checkpoint with a memory has an archive.")
        }
        return try archive.image(id: id)
      }
      if let images = memory?.diskImages, let archive = saved.archive {
        images.protect(saved.keptItems, in: archive)
        try images.restore(Set(snapshot.items.map(\.id)), position: saved.state.tally.taken)
      }
      try sharedImages?.distribute(snapshot.items.map(\.id), holder: holder, saved: image)
      try memory?.restore(snapshot) { try image($0.id) }
    }
    tally = StreamTally(
      brokenLimit: configuration.data.brokenLimit, source: source, counts: saved.state.tally)
    arrivals = saved.state.arrivals ?? ArrivalLog()
    (online, curve) = (saved.state.online, saved.state.curve)
    seconds = saved.state.seconds
    imageWaitSeconds = saved.state.imageWaitSeconds ?? 0
    stepsDone = saved.state.steps
    trained = saved.state.trained(fullSide: pool.pipeline.size)
    end = RunEnd(configuration, plan, coolDown: saved.state.coolDown)
  }

  /// Trains on the whole stream, or on what is left of it.
  /// - Throws: `OnePassError` if the stream breaks off, holds too many broken images, or the loss diverges.
  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let secondsBefore = seconds
    var upcoming = try takeIncoming(for: stepsDone)

    for step in stepsDone..<plan.steps {
      // 1. Take B examples from the stream; the next ones are decoded while these are trained.
      guard let taken = upcoming else { break }
      let incoming = try images(of: taken.pending)
      upcoming = try takeIncoming(for: step + 1)
      let arrived = try ranks.gather(Arrival.list(taken.examples, decoded: incoming))
      guard !arrived.isEmpty else { break }
      isBetweenSteps = false
      arrivals.note(tally.taken, at: taken.time)
      try tally.record(arrived)
      try ledger?.append(arrived)
      let whole = arrived.filter { $0.problem == nil }
      guard !whole.isEmpty else {
        stepsDone = step + 1
        isBetweenSteps = true
        continue
      }

      // 2. and 3. Draw k mini-batches from the memory, and have them decoded.
      let progress = RunProgress(step: step, of: plan.steps)
      try expire()
      let replays = try drawReplays(for: step, progress)

      // 4. Train on the incoming mini-batch and on the replayed ones.
      let parts = 1 + replays.count
      let arrival = try train(
        incoming, of: Double(whole.count), part: 0, of: parts, mixing: taken.pass > 0)
      let replayPasses = try replays.enumerated().map { index, replay in
        try train(
          decoded(replay), weights: replay.partOfWeights, of: replay.totalWeight, part: 1 + index, of: parts,
          stored: replay.partOfPredictions, mixing: true)
      }
      if configuration.step.updates == .joint { try learner.update() }
      trained.record(whole.count + replays.reduce(0) { $0 + $1.drawn.count }, side: side(at: step))

      // 5. Offer every incoming example to the memory.
      let stored = try storedForms(of: incoming, among: whole)
      let outcomes = try outcomes(of: arrival, replayPasses, incoming, stored: stored)
      let losses = try checked(outcomes.flatMap(\.losses), at: step)
      if outcomes.contains(where: \.requests.coolDown) { coolDown(after: step) }
      try refresh(replays, outcomes, at: step, progress)
      try offer(whole, incoming, stored: stored, outcomes, losses: losses, progress)

      seconds = secondsBefore + (clock.now - start) / .seconds(1)
      let correct = outcomes.reduce(0) { $0 + $1.correct }
      if taken.pass == 0 { online.record(correct: correct, of: losses.count) }
      report(step, losses: losses, correct: correct)
      isBetweenSteps = true
      try afterStep(self, outcomes.contains(where: \.requests.stop), outcomes[0].requests.save)
    }
    curve.finish()
    try tally.finish()
  }

  private func coolDown(after step: Int) {
    if let notice = end.coolDown(afterStep: step + 1, updates: learner.updatesMade, feed: &feed) {
      observe(.notice(notice))
    }
    learner.coolDown = end.coolDown
  }

  // MARK: Steps 1 to 3

  /// This rank's part of the next mini-batch, on its way through the decoder, and the pass over the data that it is of.
  private struct Taken {
    let examples: [Example]
    let pending: PendingBatch
    let pass: Int
    let time: Date
  }

  /// The side of the images of a step, in pixels.
  private func side(at step: Int) -> Int {
    ProgressiveResolution(from: configuration.recipe.progressiveResolution)
      .side(at: RunProgress(step: step, of: plan.steps), full: pool.pipeline.size)
  }

  private func takeIncoming(for step: Int) throws -> Taken? {
    guard step < end.steps else { return nil }  // What comes after is left to others.
    // They came at this time or later, never earlier.
    let time = try agreedTime()
    let part = try feed.next(configuration.recipe.batchSize, for: ranks.rank, of: ranks.shares)
    guard !part.isEnd else { return nil }
    for example in part.examples {
      try checkLabel(of: example, classCount: plan.classes, in: source.specification)
    }
    let isCentred =
      configuration.method == .naive
      || (configuration.method == .replay && configuration.step.incomingView == .centre)
    let pending = pool.submit(
      part.examples,
      views: part.examples.map {
        isCentred ? .centre : .augmented(seed: configuration.seed, id: $0.id, visit: feed.pass)
      }, side: side(at: step),
      isStoredFirst: configuration.method == .replay && configuration.step.incomingForm == .stored)
    return Taken(examples: part.examples, pending: pending, pass: feed.pass, time: time)
  }

  /// Now; the first rank's where it decides what is forgotten.
  private func agreedTime() throws -> Date {
    guard case .seconds = configuration.memory.timeToLive else { return Date() }
    let now = ranks.isFirst ? Date().timeIntervalSince1970 : 0
    return Date(timeIntervalSince1970: try ranks.sum([now])[0])
  }

  /// Removes items whose time is over.
  private func expire() throws {
    switch configuration.memory.timeToLive {
    case .examples(let count): try memory?.forget(before: tally.taken - count)
    case .seconds(let seconds):
      try memory?.forget(before: arrivals.position(before: agreedTime() - seconds))
    case nil: break
    }
  }

  private func drawReplays(for step: Int, _ progress: RunProgress) throws -> [ReplayBatch] {
    guard let held = memory?.count, held > 0 else { return [] }
    try priorities.beginStep(&memory, progress)
    let count = configuration.replay.course.replays(
      at: step, of: plan.steps, average: configuration.replay.steps)
    let draws = try (0..<count).compactMap { batch in
      try memory?.draw(configuration.recipe.batchSize, step: step, batch: batch)
    }
    return try zip(draws, ranks.divide(draws, holder: holder)).map { drawn, division in
      ReplayBatch(
        drawn: drawn, trainers: division.trainers,
        weights: configuration.replay.importanceWeights
          ? OnePassReplay.importanceWeights(forProbabilities: drawn.map(\.probability)) : nil,
        pending: pool.submit(
          division.examples,
          views: division.places.map {
            .augmented(seed: configuration.seed, id: drawn[$0].example.id, visit: drawn[$0].visit)
          }, side: side(at: step)),
        places: division.places)
    }
  }

  /// The rank with the image of an example that is in the memory: the one that took it from the stream, or would have
  /// with as many ranks as there are now.
  func holder(of id: Int) -> Int {
    let start = id / configuration.recipe.batchSize * configuration.recipe.batchSize
    return ranks.shares.rank(
      of: id - start, count: min(configuration.recipe.batchSize, plan.streamExamples - start))
  }

  /// The images of a replayed mini-batch, each of which was decoded before.
  private func decoded(_ replay: ReplayBatch) throws -> ImageBatch {
    let batch = try images(of: replay.pending)
    if let lost = batch.skipped.first {
      throw OnePassError(
        .engine,
        "Example \(lost.id) was decoded when it arrived and cannot be decoded from the memory: \(lost.reason)"
      )
    }
    return batch
  }

  /// A mini-batch, once it is decoded.
  private func images(of pending: PendingBatch) throws -> ImageBatch {
    let clock = ContinuousClock()
    let start = clock.now
    let batch = try pending.wait()
    // Whoever waits while the device still works loses nothing.
    if try Engine.isIdle(learner.device) { imageWaitSeconds += (clock.now - start) / .seconds(1) }
    return batch
  }

  // MARK: Step 4

  /// - Parameters:
  ///   - batch: This rank's part of a mini-batch.
  ///   - weights: w_i of its examples; 1 where `nil`.
  ///   - total: Σ w_i of the whole mini-batch.
  ///   - part: The place of the mini-batch among the `parts` of this step, which may make one update together.
  ///   - stored: What the memory keeps of what the model took its examples for.
  ///   - mixing: Whether its images were trained before, and may be mixed.
  private func train(
    _ batch: ImageBatch, weights: [Float]? = nil, of total: Double, part: Int, of parts: Int,
    stored: [StoredPrediction] = [], mixing: Bool
  ) throws -> ForwardPass {
    // A whole mini-batch has its own sum.
    let total = ranks.count > 1 ? total : nil
    guard configuration.step.updates == .joint else {
      return try learner.train(
        batch, weights: weights, of: total, stored: stored, mixing: mixing, predicting: part == 0)
    }
    return try learner.accumulate(
      batch, weights: weights, of: total, scale: 1 / Double(parts), isLast: part == parts - 1, stored: stored,
      mixing: mixing, predicting: part == 0)
  }

  // MARK: Step 5

  /// What every rank found, in their order.
  private func outcomes(
    of arrival: ForwardPass, _ replayPasses: [ForwardPass], _ incoming: ImageBatch, stored: [Example]
  ) throws -> [StepOutcome] {
    var mine = try StepOutcome(arrival: arrival, replays: replayPasses, incoming: incoming, stored: stored)
    mine.requests = requests(stepsDone + 1)
    return try ranks.gather([mine])
  }

  private func offer(
    _ whole: [Arrival], _ incoming: ImageBatch, stored: [Example], _ outcomes: [StepOutcome], losses: [Float],
    _ progress: RunProgress
  ) throws {
    guard memory != nil else { return }
    let priorities = try losses.map { try self.priorities.priority(ofArrival: $0, progress) }
    let predictions = outcomes.flatMap(\.predictions)
    if ranks.count == 1 {
      try memory?.offer(
        incoming.examples, losses: losses, priorities: priorities, predictions: predictions,
        storing: storedForm.callAsFunction)
    } else {
      let mine = Dictionary(stored.map { ($0.id, $0) }) { first, _ in first }
      let examples = zip(whole, outcomes.flatMap(\.storedBytes)).map { arrival, bytes in
        mine[arrival.id]
          ?? Example(
            id: arrival.id, label: arrival.label, image: EncodedImage(elsewhere: bytes),
            subject: arrival.subject)
      }
      try memory?.offer(examples, losses: losses, priorities: priorities, predictions: predictions)
    }
    if let memory, memory.counters.insertions == 0 { throw try smallStorage(memory, incoming) }
  }

  /// Brings up to date what the memory keeps of replayed items, as far as it is not that of their arrival.
  private func refresh(
    _ replays: [ReplayBatch], _ outcomes: [StepOutcome], at step: Int, _ progress: RunProgress
  ) throws {
    for (index, replay) in replays.enumerated() {
      let losses = try checked(
        replay.whole(ofEachRank: outcomes.map { $0.replayLosses[index] }), at: step)
      let predictions = replay.whole(ofEachRank: outcomes.map { $0.replayPredictions[index] })
      for (drawn, prediction) in zip(replay.drawn, predictions) {
        memory?.refresh(drawn, prediction: prediction)
      }
      try priorities.refresh(replay.drawn, losses: losses, in: &memory, progress)
    }
  }

  private func checked(_ losses: [Float], at step: Int) throws -> [Float] {
    guard losses.allSatisfy(\.isFinite) else {
      throw OnePassError(
        .engine,
        "The training diverged: a loss of step \(step + 1) is not a finite number. "
          + "Lower --learning-rate (now \(configuration.recipe.learningRate)).")
    }
    return losses
  }

  private func report(_ step: Int, losses: [Float], correct: Int) {
    stepsDone = step + 1
    let counters = memory?.counters
    let report = StepReport(
      step: step + 1, steps: end.steps, examplesSeen: tally.taken, examplesTrained: trained.count,
      updates: learner.updatesMade, examples: losses.count,
      loss: losses.reduce(0) { $0 + Double($1) } / Double(losses.count),
      accuracy: Double(correct) / Double(losses.count), learningRate: learner.learningRate,
      alpha: configuration.replay.smoothing.alpha(at: RunProgress(step: step, of: plan.steps)),
      memoryItems: counters?.items ?? 0, memoryBytes: counters?.bytes ?? 0, memoryFill: memory?.fill ?? 0,
      seconds: seconds)
    curve.record(report)
    lastReport = report
    observe(.step(report))
  }
}
