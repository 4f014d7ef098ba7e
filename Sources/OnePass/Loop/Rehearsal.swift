import OnePassCore
import OnePassData
import OnePassReplay

/// The replay memory of a run, with the rules for drawing, updating and filling it.
///
/// Every rank has the whole index and makes the same choices. The images may be divided among ranks. The calls are the same for
/// one rank and for several.
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
      noteBytes: configuration.noteBytes)
  }

  // MARK: Steps 2 and 3: draw

  /// Draws the k mini-batches of a step and queues them for decoding. An empty memory yields none.
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

  /// Queues this rank's part of a drawn mini-batch for decoding.
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

  /// Sets the new losses, priorities and notes of replayed items, as far as these follow replays.
  /// - Parameter outcomes: The losses and notes of each mini-batch.
  mutating func update(
    _ replays: [ReplayBatch], _ outcomes: [StepOutcome.Replay], _ progress: RunProgress
  ) throws {
    for (replay, outcome) in zip(replays, outcomes) {
      for (drawn, note) in zip(replay.drawn, outcome.notes) { memory.refresh(drawn, note: note) }
      try memory.update(replay.drawn, losses: outcome.losses, by: rule, progress)
    }
  }

  // MARK: Step 5: offer

  /// Returns this rank's part of an incoming mini-batch in the memory's image format.
  ///
  /// Examples that the memory will certainly decline have no image.
  func storedForms(of batch: IncomingBatch) throws -> [Example] {
    let mayEnter = Set(zip(batch.whole, memory.mayTakeIn(batch.whole.count)).filter(\.1).map(\.0.id))
    return try batch.images.examples.map { example in
      // The memory counts what it stores.
      let image =
        mayEnter.contains(example.id)
        ? try storedForm(images.transfer == nil ? example.image : example.image.uncounted)
        : EncodedImage(elsewhere: 0)
      return example.with(image: image)
    }
  }

  /// Offers every incoming example to the memory, with the priority of its loss (eq. 1).
  /// - Parameters:
  ///   - mine: The result of ``storedForms(of:)``.
  ///   - batch: The examples of all ranks.
  ///   - outcome: Their losses.
  /// - Throws: `OnePassError`: `usage` if the memory is too small for any of the first images, or the priority function returns
  ///   an invalid priority; `io` if images are stored on disk and cannot be written.
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
      notes: outcome.notes)
    if memory.counters.insertions == 0 { throw tooSmall(for: examples) }
  }

  private func tooSmall(for examples: [Example]) -> OnePassError {
    .storageBelowOneImage(
      "\(configuration.memory.storage)",
      smallest: examples.map { memory.cost(of: $0.image) }.min() ?? 0, of: examples.count,
      emptyFiles: memory.fixedBytes)
  }

  // MARK: Resuming

  /// Restores the contents of an empty memory.
  /// - Parameter image: Returns the image of an item. Called on the first rank only, and not for images on disk.
  mutating func restore(_ snapshot: MemorySnapshot, image: (Int) throws -> EncodedImage) throws {
    try images.transfer?.distribute(snapshot.items.map(\.id), holder: holders.holder(of:), saved: image)
    try withoutActuallyEscaping(image) { image in try memory.restore(snapshot) { try image($0.id) } }
  }

  mutating func forget(_ ids: Set<Int>) throws { try memory.forget { ids.contains($0.id) } }
}
