import OnePassCore

/// A replay memory: a biased reservoir over a stream, with prioritised draws.
///
/// The memory is a value with one owner and no locks. With an external store, copies share the images, and only one copy must be
/// used. Every random choice is a function of the seed and its position, so that runs can be repeated and resumed without saving
/// a generator.
///
/// ```swift
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1)
/// try memory.offer(example, loss: 2.3, priority: 0.9)
/// let batch = try memory.draw(128, step: 0, batch: 0)
/// ```
///
/// Source: Hu et al. 2021, sections 3.1 and 3.2.
public struct ReplayMemory {
  /// The maximum size of a memory, at any time.
  public enum Capacity: Hashable, Sendable {
    /// A number of examples.
    case examples(Int)
    /// A size in bytes: encoded images and the index; on disk also pages and the log.
    case bytes(Int)
  }

  /// The outcome of an offer.
  public enum Offer: Hashable, Sendable {
    /// The example was inserted, and `evicted` items were removed for it.
    case inserted(evicted: Int)
    /// The reservoir did not include the example.
    case declined
    /// The example alone exceeds the capacity.
    case oversized
  }

  /// The maximum size.
  public let capacity: Capacity
  /// The inclusion probability of the reservoir.
  public let inclusion: InclusionProbability
  /// Counters since the creation of the memory.
  public internal(set) var counters = MemoryCounters()

  var table: ItemTable
  /// The subjects of items, by position, if the stream records them.
  var subjects: [Int: String] = [:]
  /// The external store of the images; `nil` if they are in RAM.
  public let store: (any ImageStore)?

  /// Whether a capacity in bytes has ever been reached. Afterwards, space that an eviction leaves is not filled with small
  /// examples.
  var isFull = false
  let seed: UInt64
  var drawing: any ItemSelector
  var evicting: any ItemSelector
  /// Whether draws must be reported to the selectors.
  let tellsDraws: Bool
  /// Whether the evicting selector decides on insertions, in place of the reservoir.
  let evictingAdmits: Bool
  /// The owner of the priorities: a selector that needs them, or else the memory.
  private enum PriorityKeeper { case drawing, evicting, memory }
  private let priorityKeeper: PriorityKeeper
  /// The priorities by slot, if no selector stores them.
  private var priorities: [Float] = []

  /// The result of prefetching. It is stored so that the compiler does not remove the reads.
  var readAhead = 0

  /// The size of an item in addition to its image, in bytes: 47 with the default selectors, and the size of a note.
  public let indexBytesPerItem: Int
  /// The size of the note of each item, in bytes; 0 if the memory stores none.
  public let noteBytes: Int

  /// Creates an empty memory with built-in selectors.
  /// - Parameters:
  ///   - capacity: The maximum size.
  ///   - inclusion: The probability with which a full memory includes an example.
  ///   - drawing: The selector of items to draw.
  ///   - evicting: The selector of items to evict; uniform by default, as in the paper.
  ///   - seed: The seed of all random choices.
  ///   - store: An external store of the images; in RAM if `nil`. With a capacity in examples, no choice depends on it.
  ///   - noteBytes: The size of the ``ItemNote`` of each item, in bytes; 0 for no notes.
  public init(
    capacity: Capacity, inclusion: InclusionProbability = InclusionProbability(),
    drawing: SelectorKind = .prioritised, evicting: SelectorKind = .uniform, seed: UInt64,
    store: (any ImageStore)? = nil, noteBytes: Int = 0
  ) {
    self.init(
      capacity: capacity, inclusion: inclusion,
      drawing: drawing.makeSelector(), evicting: evicting.makeSelector(), seed: seed, store: store,
      noteBytes: noteBytes)
  }

  /// Creates an empty memory with any selectors, which must be empty.
  /// - Parameters:
  ///   - capacity: The maximum size.
  ///   - inclusion: The probability with which a full memory includes an example.
  ///   - drawing: The selector of items to draw.
  ///   - evicting: The selector of items to evict.
  ///   - seed: The seed of all random choices.
  ///   - store: An external store of the images; in RAM if `nil`. With a capacity in examples, no choice depends on it.
  ///   - noteBytes: The size of the ``ItemNote`` of each item, in bytes; 0 for no notes.
  public init(
    capacity: Capacity, inclusion: InclusionProbability = InclusionProbability(),
    drawing: any ItemSelector, evicting: any ItemSelector, seed: UInt64,
    store: (any ImageStore)? = nil, noteBytes: Int = 0
  ) {
    switch capacity {
    case .examples(let count): precondition(count > 0, "The capacity must be at least one example.")
    case .bytes(let bytes): precondition(bytes > 0, "The capacity must be at least one byte.")
    }
    precondition(
      !type(of: drawing).decidesAdmission, "Only an evicting selector can decide which examples are inserted."
    )
    precondition(noteBytes >= 0, "The size of a note must be at least 0.")
    self.noteBytes = noteBytes
    self.capacity = capacity
    self.inclusion = inclusion
    self.drawing = drawing
    self.evicting = evicting
    self.seed = seed
    self.store = store
    tellsDraws = type(of: drawing).dependsOnDraws || type(of: evicting).dependsOnDraws
    evictingAdmits = type(of: evicting).decidesAdmission
    priorityKeeper =
      type(of: drawing).keepsPriorities ? .drawing : type(of: evicting).keepsPriorities ? .evicting : .memory
    table = ItemTable(noteBytes: noteBytes)
    indexBytesPerItem =
      table.bytesPerItem
      + (priorityKeeper == .memory ? MemoryLayout<Float>.stride : 0)
      + type(of: drawing).bytesPerItem + type(of: evicting).bytesPerItem
    count(bytes: fixedBytes, items: 0)
  }

  /// The number of items.
  public var count: Int { table.count }

  /// The bytes that the allocator reserves for the images in RAM beyond their sizes, which no budget counts; `nil` if the
  /// images are stored elsewhere, or the allocator is unknown.
  ///
  /// - Complexity: O(``count``).
  public var allocatorBytes: Int? { table.allocatorBytes }

  /// Returns the size of an item in the memory, in bytes, including its index; an upper bound on disk.
  public func cost(of image: EncodedImage) -> Int { cost(ofBytes: image.byteCount) }

  private func cost(ofBytes bytes: Int) -> Int {
    indexBytesPerItem + (store?.bytes(forImageOf: bytes) ?? bytes)
  }

  /// The size of the item in a slot, in bytes.
  private func cost(of slot: Int) -> Int { cost(ofBytes: table.imageBytes(of: slot)) }

  /// The size of the empty memory, in bytes; 0 in RAM.
  public var fixedBytes: Int { store?.fixedBytes ?? 0 }

  // MARK: Filling

  /// Offers the next example of the stream: step 5 of the method.
  ///
  /// While there is room, it is inserted. Afterwards it is inserted with probability min(1, β·m/n), and the evicting selector
  /// selects the item that it replaces. With a capacity in bytes, it can replace several.
  /// - Parameters:
  ///   - example: The next example; its `id` is its position in the stream.
  ///   - loss: Its loss in the forward pass that trained it, in nats; finite or +∞.
  ///   - priority: Its priority; finite and at least 0.
  ///   - note: Its note, if the memory stores notes.
  /// - Precondition: An image has less than 4 GiB. Raw pixels have sides of 1 to 65,535 and the matching number of bytes.
  /// - Throws: `OnePassError` (`io`) if images are on disk and cannot be written. The memory must then not be used.
  /// - Complexity: O(1) expected.
  @discardableResult
  public mutating func offer(
    _ example: Example, loss: Float, priority: Float, note: ItemNote? = nil
  ) throws -> Offer {
    try offer(example, loss: loss, priority: priority, note: note) { $0 }
  }

  /// Offers the next example of the stream, and stores its image in another form.
  /// - Parameters:
  ///   - example: The next example; its `id` is its position in the stream.
  ///   - loss: Its loss in the forward pass that trained it, in nats; finite or +∞.
  ///   - priority: Its priority; finite and at least 0.
  ///   - note: Its note, if the memory stores notes.
  ///   - encode: Returns the stored form of the image. Called at most once, and not for a declined example.
  /// - Throws: The error of `encode`, after which the memory is unchanged. `OnePassError` (`io`) if images are on disk and cannot
  ///   be written. The memory must then not be used.
  @discardableResult
  public mutating func offer(
    _ example: Example, loss: Float, priority: Float, note: ItemNote? = nil,
    storing encode: (EncodedImage) throws -> EncodedImage
  ) throws -> Offer {
    Self.check(loss: loss, priority: priority)
    check(note)
    guard var chance = chanceOfNextOffer(of: example.label) else { return .declined }
    return try takeIn(
      example, loss: loss, priority: priority, note: note, storing: encode, using: &chance)
  }

  func check(_ note: ItemNote?) {
    precondition(
      isKept(note),
      "The note of an example must have \(noteBytes) bytes.")
  }

  static func check(loss: Float, priority: Float) {
    precondition(
      priority.isFinite && priority >= 0, "The priority must be finite and at least 0 (got \(priority)).")
    precondition(!loss.isNaN, "The loss must not be NaN.")
  }

  /// Whether a note has the size of the memory's notes, or is `nil` if it stores none.
  func isKept(_ note: ItemNote?) -> Bool { (note?.bytes.count ?? 0) == noteBytes }

  /// Completes an offer that the reservoir has not declined.
  mutating func takeIn(
    _ example: Example, loss: Float, priority: Float, note: ItemNote?,
    storing encode: (EncodedImage) throws -> EncodedImage, using generator: inout SeededGenerator
  ) throws -> Offer {
    switch capacity {
    case .examples(let limit):
      let image = try encode(example.image)
      let victim = count < limit ? nil : evicting.select(using: &generator).slot
      // The victim is removed first, so that the capacity is never exceeded.
      if let victim { try discardImage(of: victim) }
      let item = HeldItem(
        example, storedAs: try keep(image, of: example), loss: loss, note: note)
      if let victim { replace(victim, with: item, priority) } else { append(item, priority) }
      keep(subject: example.subject, of: example.id)
      return .inserted(evicted: victim == nil ? 0 : 1)

    case .bytes(let limit):
      let image = try encode(example.image)
      let needed = cost(of: image) + Self.cost(ofSubject: example.subject)
      guard fixedBytes + needed <= limit, store?.admits(imageOf: image.byteCount) ?? true else {
        counters.oversized += 1
        return .oversized
      }
      if !isFull, counters.bytes + needed > limit {
        isFull = true
        guard admits(example.label, capacity: count, using: &generator) else { return .declined }
      }
      var evicted = 0
      while counters.bytes + needed > limit {
        try remove(evicting.select(using: &generator).slot)
        counters.evictions += 1
        evicted += 1
      }
      append(
        HeldItem(example, storedAs: try keep(image, of: example), loss: loss, note: note),
        priority)
      keep(subject: example.subject, of: example.id)
      return .inserted(evicted: evicted)
    }
  }

  /// Stores an image in the external store, if there is one.
  private func keep(_ image: EncodedImage, of example: Example) throws -> HeldImage {
    guard let store else { return .here(image) }
    try store.insert(image, id: example.id, subject: example.subject)
    return .elsewhere(bytes: image.byteCount)
  }

  private mutating func append(_ item: HeldItem, _ priority: Float) {
    keep(item, priority)
    counters.insertions += 1
    count(bytes: cost(of: count - 1), items: 1)
  }

  /// Adds an item in slot `count`.
  mutating func keep(_ item: HeldItem, _ priority: Float) {
    let facts = ItemFacts(
      priority: priority, label: Int(item.label), arrival: item.arrival, draws: Int(item.draws))
    table.append(item)
    if priorityKeeper == .memory { priorities.appendToTable(priority) }
    drawing.append(facts)
    evicting.append(facts)
  }

  private mutating func replace(_ slot: Int, with item: HeldItem, _ priority: Float) {
    keep(subject: nil, of: table.arrival(of: slot))
    count(bytes: -cost(of: slot), items: -1)
    table.replace(slot, with: item)
    inform(slot, priority)
    counters.insertions += 1
    counters.evictions += 1
    count(bytes: cost(of: slot), items: 1)
  }

  /// Removes an item. The last item moves to its slot.
  /// - Parameter isOverwritten: Whether the image's bytes in RAM are overwritten. On disk they always are.
  mutating func remove(_ slot: Int, isOverwritten: Bool = false) throws {
    try discardImage(of: slot)
    keep(subject: nil, of: table.arrival(of: slot))
    count(bytes: -cost(of: slot), items: -1)
    table.remove(slot, isOverwritten: isOverwritten)
    if priorityKeeper == .memory { priorities.swapRemove(slot) }
    drawing.remove(slot)
    evicting.remove(slot)
  }

  /// Records the subject of an item, or removes it.
  mutating func keep(subject: String?, of id: Int) {
    // Most streams have no subjects, and have no cost here.
    guard subject != nil || !subjects.isEmpty else { return }
    let previous = subject.map { subjects.updateValue($0, forKey: id) } ?? subjects.removeValue(forKey: id)
    count(bytes: Self.cost(ofSubject: subject) - Self.cost(ofSubject: previous), items: 0)
  }

  /// The size of the text and of its entry in the dictionary.
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

  /// Reports the present facts of the item in `slot` to the selectors.
  mutating func inform(_ slot: Int, _ priority: Float) {
    if priorityKeeper == .memory { priorities[slot] = priority }
    let facts = ItemFacts(
      priority: priority, label: Int(table.label(of: slot)), arrival: table.arrival(of: slot),
      draws: Int(table.draws(of: slot)))
    drawing.update(slot, to: facts)
    evicting.update(slot, to: facts)
  }

  /// Traps if the state of the memory is inconsistent. For tests.
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

  /// The required value of `counters.bytes`.
  var bytesOfItems: Int {
    (0..<count).reduce(fixedBytes) { $0 + cost(of: $1) }
      + subjects.values.reduce(0) { $0 + Self.cost(ofSubject: $1) }
  }
}
