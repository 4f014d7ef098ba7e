import OnePassCore

/// The small part of a stream that may be kept: filled by a biased reservoir, drawn by priority.
///
/// The memory is a value with one owner and no locks; where its images lie on disk, copies of it share them, and only
/// one may be used. Every random choice is a function of the seed and of
/// the position at which it is made, so a run can be repeated and resumed without saving any generator.
///
/// ```swift
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1)
/// try memory.offer(example, loss: 2.3, priority: 0.9)
/// let batch = try memory.draw(128, step: 0, batch: 0)
/// ```
///
/// Source: Hu et al. 2021, sections 3.1 and 3.2.
public struct ReplayMemory {
  /// The most that the memory may hold at any instant.
  public enum Capacity: Hashable, Sendable {
    case examples(Int)
    /// Encoded bytes and index together; on disk also pages and log.
    case bytes(Int)
  }

  /// What became of an offered example.
  public enum Offer: Hashable, Sendable {
    /// The example was taken in; `evicted` items had to go.
    case inserted(evicted: Int)
    /// Chance decided against it.
    case declined
    /// The example alone would exceed the budget.
    case oversized
  }

  public let capacity: Capacity
  public let inclusion: InclusionProbability
  public internal(set) var counters = MemoryCounters()

  var table: ItemTable
  /// Whom items are about, by position, where the stream says so.
  var subjects: [Int: String] = [:]
  /// Where the images lie, if not in the process's own memory.
  public let store: (any ImageStore)?

  /// Whether a budget in bytes has ever been too small for what was offered. Room that an eviction leaves
  /// afterwards is not given to whichever example happens to fit.
  var isFull = false
  let seed: UInt64
  var drawing: any ItemSelector
  var evicting: any ItemSelector
  /// Whether a selector has to be told of every draw.
  let tellsDraws: Bool
  /// Who keeps the priorities: a selector that needs them anyway, or else the memory itself.
  private enum PriorityKeeper { case drawing, evicting, memory }
  private let priorityKeeper: PriorityKeeper
  /// By slot, where no selector keeps them.
  private var priorities: [Float] = []

  /// What was read ahead: a compiler drops what nobody keeps.
  var readAhead = 0

  /// What one item costs beside its encoded bytes: 31 with the default selectors, 12 more with predictions.
  ///
  /// An unusual one in RAM costs 40 more: a label from 1,024, a file from 1 MiB, bare pixels with a side from 1,024.
  public let indexBytesPerItem: Int
  /// The number of classes over which a prediction is kept with each item; none is kept if `nil`.
  public let predictedClasses: Int?

  /// - Parameters:
  ///   - capacity: The most that it may hold.
  ///   - inclusion: How likely it takes in an example once it is full.
  ///   - drawing: Which item a draw chooses; prioritised by default.
  ///   - evicting: Which item makes room; uniform by default, as in the paper.
  ///   - seed: Fixes every random choice.
  ///   - store: Where the images lie; in the process's own memory if `nil`. No choice depends on it where the budget
  ///     is in examples.
  ///   - predictedClasses: Keeps a prediction over so many classes with each item, at most
  ///     ``StoredPrediction/classLimit``; none if `nil`.
  public init(
    capacity: Capacity, inclusion: InclusionProbability = InclusionProbability(),
    drawing: SelectorKind = .prioritised, evicting: SelectorKind = .uniform, seed: UInt64,
    store: (any ImageStore)? = nil, predictedClasses: Int? = nil
  ) {
    self.init(
      capacity: capacity, inclusion: inclusion,
      drawing: drawing.makeSelector(), evicting: evicting.makeSelector(), seed: seed, store: store,
      predictedClasses: predictedClasses)
  }

  /// As above, with selectors of one's own; both must be empty.
  public init(
    capacity: Capacity, inclusion: InclusionProbability = InclusionProbability(),
    drawing: any ItemSelector, evicting: any ItemSelector, seed: UInt64,
    store: (any ImageStore)? = nil, predictedClasses: Int? = nil
  ) {
    switch capacity {
    case .examples(let count): precondition(count > 0, "A memory holds at least one example.")
    case .bytes(let bytes): precondition(bytes > 0, "A memory holds at least one byte.")
    }
    precondition(
      (1...StoredPrediction.classLimit).contains(predictedClasses ?? 1),
      "A prediction is over 1 to \(StoredPrediction.classLimit) classes.")
    self.predictedClasses = predictedClasses
    self.capacity = capacity
    self.inclusion = inclusion
    self.drawing = drawing
    self.evicting = evicting
    self.seed = seed
    self.store = store
    tellsDraws = type(of: drawing).dependsOnDraws || type(of: evicting).dependsOnDraws
    priorityKeeper =
      type(of: drawing).keepsPriorities ? .drawing : type(of: evicting).keepsPriorities ? .evicting : .memory
    table = ItemTable(countsDrawsApart: tellsDraws, keepsPredictions: predictedClasses != nil)
    indexBytesPerItem =
      table.bytesPerItem
      + (priorityKeeper == .memory ? MemoryLayout<Float>.stride : 0)
      + type(of: drawing).bytesPerItem + type(of: evicting).bytesPerItem
    count(bytes: fixedBytes, items: 0)
  }

  /// The number of items held.
  public var count: Int { table.count }

  /// The bytes that an image takes in the memory, its index included; on disk at most.
  public func cost(of image: EncodedImage, label: Int) -> Int {
    guard let store else {
      return indexBytesPerItem + image.byteCount + ItemRow.frontBytes(of: image, label: Int32(label))
    }
    return cost(ofFileOf: image.byteCount, label: Int32(label), in: store)
  }

  /// What the item in a slot takes.
  private func cost(of slot: Int) -> Int {
    let bytes = table.imageBytes(of: slot)
    guard let store else { return indexBytesPerItem + bytes + table.frontBytes(of: slot) }
    return cost(ofFileOf: bytes, label: table.label(of: slot), in: store)
  }

  private func cost(ofFileOf bytes: Int, label: Int32, in store: any ImageStore) -> Int {
    indexBytesPerItem + store.bytes(forImageOf: bytes)
      + (store.countsUnusualItems ? ItemRow.frontBytes(ofFileOf: bytes, label: label) : 0)
  }

  /// What the memory takes without any item: nothing but on disk.
  public var fixedBytes: Int { store?.fixedBytes ?? 0 }

  // MARK: Filling

  /// Offers the next example of the stream: step 5 of the method.
  ///
  /// While there is room it is taken in; afterwards with probability min(1, β·m/n), in place of an item that
  /// the evicting selector chooses (of several items, where a budget in bytes needs that).
  /// - Parameters:
  ///   - example: The next example; its `id` is its position in the stream.
  ///   - loss: The example's loss in the forward pass that trained it; finite or +∞.
  ///   - priority: Finite, not negative.
  ///   - prediction: What the model took it for in that pass, where the memory keeps predictions.
  /// - Throws: `OnePassError` (`io`) if the images lie on disk and cannot be written; the memory is then not to be used.
  /// - Complexity: O(1) expected.
  @discardableResult
  public mutating func offer(
    _ example: Example, loss: Float, priority: Float, prediction: StoredPrediction? = nil
  ) throws -> Offer {
    try offer(example, loss: loss, priority: priority, prediction: prediction) { $0 }
  }

  /// As above, with the image kept in another form.
  /// - Parameters:
  ///   - example: The next example.
  ///   - loss: Its loss.
  ///   - priority: Finite, not negative.
  ///   - prediction: What the model took it for, where the memory keeps predictions.
  ///   - encode: Makes the form; called at most once, and only for an example that chance has decided for.
  /// - Throws: What `encode` throws; the memory then holds what it held. `OnePassError` as above.
  @discardableResult
  public mutating func offer(
    _ example: Example, loss: Float, priority: Float, prediction: StoredPrediction? = nil,
    storing encode: (EncodedImage) throws -> EncodedImage
  ) throws -> Offer {
    check(loss: loss, priority: priority, prediction)
    guard var chance = chanceOfNextOffer() else { return .declined }
    return try takeIn(
      example, loss: loss, priority: priority, prediction: prediction, storing: encode, using: &chance)
  }

  func check(loss: Float, priority: Float, _ prediction: StoredPrediction?) {
    Self.check(loss: loss, priority: priority)
    precondition(
      isKept(prediction),
      "An example comes with a prediction over the memory's classes where it keeps them, and without one elsewhere."
    )
  }

  static func check(loss: Float, priority: Float) {
    precondition(
      priority.isFinite && priority >= 0, "A priority is finite and not negative, not \(priority).")
    precondition(!loss.isNaN, "A loss is a number.")
  }

  /// Whether this is what the memory keeps: a prediction over its classes, or none.
  func isKept(_ prediction: StoredPrediction?) -> Bool {
    guard let predictedClasses else { return prediction == nil }
    return prediction?.isPossible(over: predictedClasses) ?? false
  }

  /// Counts an offer. Returns what makes its further choices, or `nil` if chance has declined it already.
  mutating func chanceOfNextOffer() -> SeededGenerator? {
    counters.examplesSeen += 1
    var generator = SeededGenerator(seed: seed, .reservoir, counters.examplesSeen)
    let room: Int? =
      switch capacity {
      case .examples(let limit): count < limit ? nil : limit
      case .bytes: isFull ? count : nil
      }
    guard let room else { return generator }
    return includes(seen: counters.examplesSeen, capacity: room, using: &generator) ? generator : nil
  }

  /// The rest of an offer that chance has not declined.
  mutating func takeIn(
    _ example: Example, loss: Float, priority: Float, prediction: StoredPrediction?,
    storing encode: (EncodedImage) throws -> EncodedImage, using generator: inout SeededGenerator
  ) throws -> Offer {
    switch capacity {
    case .examples(let limit):
      let image = try encode(example.image)
      let victim = count < limit ? nil : evicting.select(using: &generator).slot
      // First out, then in, so that there is never one too many.
      if let victim { try discardImage(of: victim) }
      let item = HeldItem(
        example, storedAs: try keep(image, of: example), loss: loss, prediction: prediction)
      if let victim { replace(victim, with: item, priority) } else { append(item, priority) }
      note(example.subject, of: example.id)
      return .inserted(evicted: victim == nil ? 0 : 1)

    case .bytes(let limit):
      let image = try encode(example.image)
      let needed = cost(of: image, label: example.label) + Self.cost(ofSubject: example.subject)
      guard fixedBytes + needed <= limit, store?.admits(imageOf: image.byteCount) ?? true else {
        counters.oversized += 1
        return .oversized
      }
      if !isFull, counters.bytes + needed > limit {
        isFull = true
        guard includes(seen: counters.examplesSeen, capacity: count, using: &generator) else {
          return .declined
        }
      }
      var evicted = 0
      while counters.bytes + needed > limit {
        try remove(evicting.select(using: &generator).slot)
        counters.evictions += 1
        evicted += 1
      }
      append(
        HeldItem(example, storedAs: try keep(image, of: example), loss: loss, prediction: prediction),
        priority)
      note(example.subject, of: example.id)
      return .inserted(evicted: evicted)
    }
  }

  /// Puts an image where the memory has its images.
  private func keep(_ image: EncodedImage, of example: Example) throws -> HeldImage {
    guard let store else { return .here(image) }
    try store.insert(image, id: example.id)
    return .elsewhere(bytes: image.byteCount)
  }

  /// Which of the next offers may be taken in. It is certain of the others that they are declined.
  package func mayTakeIn(_ offers: Int) -> [Bool] {
    // What a full memory in bytes holds at most by the time of the last offer: one item more for each.
    let fullSize: Int? =
      switch capacity {
      case .examples(let limit): limit
      case .bytes: isFull ? count + offers : nil
      }
    var room = if case .examples(let limit) = capacity { limit - count } else { 0 }
    return (0..<offers).map { before in
      guard let fullSize else { return true }
      if room > 0 {
        room -= 1
        return true
      }
      let seen = counters.examplesSeen + before + 1
      var generator = SeededGenerator(seed: seed, .reservoir, seen)
      return includes(seen: seen, capacity: fullSize, using: &generator)
    }
  }

  /// Whether chance decides for an example when so many were seen, with it, in a memory that is full.
  func includes(seen: Int, capacity: Int, using generator: inout SeededGenerator) -> Bool {
    generator.nextUnit() < inclusion(examplesSeen: seen, capacity: capacity)
  }

  private mutating func append(_ item: HeldItem, _ priority: Float) {
    keep(item, priority)
    counters.insertions += 1
    count(bytes: cost(of: count - 1), items: 1)
  }

  /// Puts an item in the slot `count`.
  mutating func keep(_ item: HeldItem, _ priority: Float) {
    let facts = ItemFacts(
      priority: priority, label: Int(item.label), arrival: item.arrival, draws: Int(item.draws))
    table.append(item)
    if priorityKeeper == .memory { priorities.appendToTable(priority) }
    drawing.append(facts)
    evicting.append(facts)
  }

  private mutating func replace(_ slot: Int, with item: HeldItem, _ priority: Float) {
    note(nil, of: table.arrival(of: slot))
    count(bytes: -cost(of: slot), items: -1)
    table.replace(slot, with: item)
    inform(slot, priority)
    counters.insertions += 1
    counters.evictions += 1
    count(bytes: cost(of: slot), items: 1)
  }

  /// Lets go of an item; the last one takes its slot.
  /// - Parameter isOverwritten: Whether the image's bytes must not stay behind in RAM. (On disk they never do.)
  mutating func remove(_ slot: Int, isOverwritten: Bool = false) throws {
    try discardImage(of: slot)
    note(nil, of: table.arrival(of: slot))
    count(bytes: -cost(of: slot), items: -1)
    table.remove(slot, isOverwritten: isOverwritten)
    if priorityKeeper == .memory { priorities.swapRemove(slot) }
    drawing.remove(slot)
    evicting.remove(slot)
  }

  /// Keeps whom an item is about, or forgets it.
  mutating func note(_ subject: String?, of id: Int) {
    // Most streams have no subjects, and pay nothing for them.
    guard subject != nil || !subjects.isEmpty else { return }
    let previous = subject.map { subjects.updateValue($0, forKey: id) } ?? subjects.removeValue(forKey: id)
    count(bytes: Self.cost(ofSubject: subject) - Self.cost(ofSubject: previous), items: 0)
  }

  /// The text and its place in the table.
  static func cost(ofSubject subject: String?) -> Int { subject.map { $0.utf8.count + 56 } ?? 0 }

  private func discardImage(of slot: Int) throws {
    try store?.remove(id: table.arrival(of: slot), imageBytes: table.imageBytes(of: slot))
  }

  private mutating func count(bytes: Int, items: Int) {
    counters.bytes += bytes
    counters.items += items
    counters.peakBytes = max(counters.peakBytes, counters.bytes)
    counters.peakItems = max(counters.peakItems, counters.items)
  }

  func priority(of slot: Int) -> Float {
    switch priorityKeeper {
    case .drawing: drawing.priority(of: slot)
    case .evicting: evicting.priority(of: slot)
    case .memory: priorities[slot]
    }
  }

  /// Says what now holds of the item in `slot`.
  mutating func inform(_ slot: Int, _ priority: Float) {
    if priorityKeeper == .memory { priorities[slot] = priority }
    let facts = ItemFacts(
      priority: priority, label: Int(table.label(of: slot)), arrival: table.arrival(of: slot),
      draws: Int(table.draws(of: slot)))
    drawing.update(slot, to: facts)
    evicting.update(slot, to: facts)
  }

  /// Stops the program if the memory contradicts itself. For tests.
  package func checkInvariants() {
    precondition(drawing.count == count && evicting.count == count)
    precondition(counters.items == count && counters.items <= counters.peakItems)
    precondition(counters.insertions - counters.evictions - counters.forgotten == count)
    precondition(counters.bytes == bytesOfItems && counters.bytes <= counters.peakBytes)
    switch capacity {
    case .examples(let limit): precondition(counters.peakItems <= limit)
    case .bytes(let limit): precondition(counters.peakBytes <= limit || count == 0)
    }
    drawing.checkInvariants()
    evicting.checkInvariants()
  }

  /// What `counters.bytes` has to be.
  var bytesOfItems: Int {
    (0..<count).reduce(fixedBytes) { $0 + cost(of: $1) }
      + subjects.values.reduce(0) { $0 + Self.cost(ofSubject: $1) }
  }
}
