import OnePassCore
import OnePassData
import OnePassReplay

/// The replay memory of a run, with the rules by which it is drawn from, brought up to date and filled.
///
/// Every rank holds the whole index and makes the same choices; the images may be divided among them. The calls are the same
/// for one rank and for several.
///
/// Source: Hu et al. 2021, sections 3.1 and 3.2 (draws, priorities, reservoir) and 4.3 (updated priorities).
struct Rehearsal {
  private(set) var memory: ReplayMemory
  let images: MemoryImages
  let storedForm: StoredForm
  private var rule: PriorityRule
  private let configuration: RunConfiguration
  private let decoder: BatchDecoder
  private let ranks: Ranks
  private let holders: ImageHolders

  /// - Parameter capacity: That of the plan.
  init(
    _ configuration: RunConfiguration, _ parts: MethodParts, _ plan: TrainingPlan,
    capacity: ReplayMemory.Capacity, images: MemoryImages, decoder: BatchDecoder, ranks: Ranks
  ) {
    self.configuration = configuration
    self.decoder = decoder
    self.ranks = ranks
    self.images = images
    holders = ImageHolders(
      shares: ranks.shares, batchSize: configuration.recipe.batchSize, streamExamples: plan.streamExamples)
    rule = PriorityRule(parts.priority, timing: configuration.replay.priorityTiming)
    storedForm = StoredForm(configuration.storedFormat, pipeline: decoder.pool.pipeline)
    memory = ReplayMemory(
      capacity: capacity, inclusion: InclusionProbability(recencyBias: configuration.memory.recencyBias),
      drawing: parts.drawing, evicting: parts.evicting, seed: configuration.seed, store: images.store,
      predictedClasses: configuration.predictedClasses(of: plan))
  }

  // MARK: Steps 2 and 3: draw

  /// Draws the k mini-batches of a step and sends them to the decoder; none from an empty memory.
  /// - Parameter horizon: Items that arrived before this position of the stream are removed first.
  mutating func draw(at progress: RunProgress, expiring horizon: Int?) throws -> [ReplayBatch] {
    if let horizon { try memory.forget(before: horizon) }
    guard memory.count > 0 else { return [] }
    try memory.prioritise(by: &rule, progress)
    let count = configuration.replay.course.replays(
      at: progress.step, of: progress.steps, average: configuration.replay.steps)
    let draws = try (0..<count).map { batch in
      try memory.draw(configuration.recipe.batchSize, step: progress.step, batch: batch)
    }
    return try zip(draws, ranks.divide(draws, holder: holders.holder(of:))).map(submit)
  }

  /// Sends this rank's part of a drawn mini-batch to the decoder.
  private func submit(_ drawn: [DrawnExample], _ division: Ranks.Division) -> ReplayBatch {
    let weights =
      configuration.replay.importanceWeights
      ? importanceWeights(forProbabilities: drawn.map(\.probability)) : nil
    let views = division.places.map { place in
      ImagePipeline.View.augmented(
        seed: configuration.seed, id: drawn[place].example.id, visit: drawn[place].visit)
    }
    return ReplayBatch(
      drawn: drawn, trainers: division.trainers, weights: weights, places: division.places,
      pending: decoder.submit(division.examples, views: views), decoder: decoder,
      isDivided: ranks.count > 1)
  }

  // MARK: Section 4.3: update

  /// Gives replayed items their new losses, priorities and predictions, as far as these follow replays.
  /// - Parameter outcomes: What was found of each mini-batch.
  mutating func update(
    _ replays: [ReplayBatch], _ outcomes: [StepOutcome.Replay], _ progress: RunProgress
  ) throws {
    for (replay, outcome) in zip(replays, outcomes) {
      for (drawn, prediction) in zip(replay.drawn, outcome.predictions) {
        memory.refresh(drawn, prediction: prediction)
      }
      try memory.update(replay.drawn, losses: outcome.losses, by: rule, progress)
    }
  }

  // MARK: Step 5: offer

  /// This rank's part of an incoming mini-batch in the form in which the memory keeps images. Of those that it will certainly
  /// decline there is no image.
  func storedForms(of batch: IncomingBatch) throws -> [Example] {
    let mayEnter = Set(zip(batch.whole, memory.mayTakeIn(batch.whole.count)).filter(\.1).map(\.0.id))
    return try batch.images.examples.map { example in
      let image =
        mayEnter.contains(example.id) ? try storedForm(example.image) : EncodedImage(elsewhere: 0)
      return Example(id: example.id, label: example.label, image: image, subject: example.subject)
    }
  }

  /// Offers every incoming example to the memory, with the priority of its loss (eq. 1).
  /// - Parameters:
  ///   - mine: ``storedForms(of:)``.
  ///   - batch: The examples of all ranks.
  ///   - outcome: Their losses.
  /// - Throws: `OnePassError`: `usage` if the memory is too small for any of the first images, or the priority function gives
  ///   no priority; `io` if images are kept on disk and cannot be written.
  mutating func offer(
    _ mine: [Example], of batch: IncomingBatch, _ outcome: StepOutcome, _ progress: RunProgress
  ) throws {
    let own = Dictionary(mine.map { ($0.id, $0) }) { first, _ in first }
    let examples = zip(batch.whole, outcome.storedBytes).map { arrival, bytes in
      own[arrival.id]
        ?? Example(
          id: arrival.id, label: arrival.label, image: EncodedImage(elsewhere: bytes),
          subject: arrival.subject)
    }
    try memory.offer(
      examples, losses: outcome.losses,
      priorities: outcome.losses.map { try rule.priority(ofLoss: $0, progress) },
      predictions: outcome.predictions)
    if memory.counters.insertions == 0 { throw tooSmall(for: examples) }
  }

  private func tooSmall(for examples: [Example]) -> OnePassError {
    let smallest = examples.map { memory.cost(of: $0.image, label: $0.label) }.min() ?? 0
    let files = memory.fixedBytes > 0 ? ", and the files \(memory.fixedBytes) without any" : ""
    return OnePassError(
      .usage,
      "A storage of \(configuration.memory.storage) is smaller than one image: the smallest of the first "
        + "\(examples.count) takes \(smallest) bytes with its index\(files). Give more, or use --method naive."
    )
  }

  // MARK: Resuming

  /// Gives an empty memory the contents that another one had.
  /// - Parameter image: The image of an item; asked on the first rank only, and not for images on disk.
  mutating func restore(_ snapshot: MemorySnapshot, image: (Int) throws -> EncodedImage) throws {
    try images.transfer?.distribute(snapshot.items.map(\.id), holder: holders.holder(of:), saved: image)
    try withoutActuallyEscaping(image) { image in try memory.restore(snapshot) { try image($0.id) } }
  }
}

/// Which rank holds the image of an example that is in the memory: the one that took it from the stream, or would have with
/// as many ranks as there are now.
struct ImageHolders {
  let shares: BatchShares
  let batchSize: Int
  let streamExamples: Int

  func holder(of id: Int) -> Int {
    let start = id / batchSize * batchSize
    return shares.rank(of: id - start, count: min(batchSize, streamExamples - start))
  }
}
