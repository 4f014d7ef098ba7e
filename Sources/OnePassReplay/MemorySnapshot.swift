import OnePassCore

/// All that a replay memory needs to go on exactly where it was, but for the images.
///
/// A memory that is restored from it makes the same choices, to the last bit, as the one that it was taken from.
/// Chance needs no saving: each choice is a function of the seed and of its position.
public struct MemorySnapshot: Hashable, Sendable {
  public var counters: MemoryCounters
  /// Whether a budget in bytes has ever been too small for what was offered.
  public var hasBeenFull: Bool
  /// In the order of the slots.
  public var items: [MemoryItem]
  /// The order that the drawing selector keeps; see ``ItemSelector/arrangement``.
  public var drawingArrangement: [UInt32]
  /// The order that the evicting selector keeps.
  public var evictingArrangement: [UInt32]

  public init(
    counters: MemoryCounters, hasBeenFull: Bool, items: [MemoryItem], drawingArrangement: [UInt32],
    evictingArrangement: [UInt32]
  ) {
    self.counters = counters
    self.hasBeenFull = hasBeenFull
    self.items = items
    self.drawingArrangement = drawingArrangement
    self.evictingArrangement = evictingArrangement
  }
}

extension ReplayMemory {
  /// What the memory is now, without its images.
  /// - Complexity: O(count).
  public var snapshot: MemorySnapshot {
    MemorySnapshot(
      counters: counters, hasBeenFull: isFull, items: Array(items), drawingArrangement: drawing.arrangement,
      evictingArrangement: evicting.arrangement)
  }

  /// Makes an empty memory what another one was.
  /// - Parameters:
  ///   - snapshot: Taken from a memory with the same capacity, selectors and seed.
  ///   - image: The image of an item, in the form in which it was kept. Not asked for where the images lie on disk, nor
  ///     if it is `nil`: the memory can then be looked at and forget, but not be drawn from.
  /// - Throws: `OnePassError` (`badData`) if the snapshot contradicts itself or this memory; what `image` throws. The
  ///   memory is then not to be used.
  /// - Precondition: Nothing was ever offered to this memory.
  /// - Complexity: O(count).
  public mutating func restore(
    _ snapshot: MemorySnapshot, image: ((MemoryItem) throws -> EncodedImage)?
  ) throws {
    precondition(counters.examplesSeen == 0, "Only a memory that is new can become what another was.")
    func require(_ condition: Bool, _ what: String) throws {
      if !condition { throw OnePassError(.badData, "The saved memory is damaged: \(what).") }
    }
    for item in snapshot.items {
      try require(item.priority.isFinite && item.priority >= 0, "a priority is \(item.priority)")
      try require(
        !item.loss.isNaN && (0...Int(Int32.max)).contains(item.label), "an item has no loss or no label")
      try require(
        (0...Int(UInt32.max)).contains(item.bytes), "the bytes of an image are \(item.bytes)")
      try require(
        (0..<min(snapshot.counters.examplesSeen, PackedFacts.arrivalLimit)).contains(item.id)
          && (0...Int(UInt32.max)).contains(item.draws),
        "item \(item.id) was never offered, or drawn \(item.draws) times")
      try require(isKept(item.prediction), "item \(item.id) has another prediction than it should have")
      let held = HeldItem(
        item,
        image: store == nil
          ? try image.map { .here(try $0(item)) } ?? .elsewhere(bytes: item.bytes)
          : .elsewhere(bytes: item.bytes))
      try require(
        held.image.byteCount == item.bytes, "item \(item.id) has not the bytes that it should have")
      keep(held, item.priority)
      subjects[item.id] = item.subject
    }
    try require(Set(snapshot.items.map(\.id)).count == count, "an item is held twice")
    try drawing.restore(arrangement: snapshot.drawingArrangement)
    try evicting.restore(arrangement: snapshot.evictingArrangement)
    counters = snapshot.counters
    // An older program counted another index, and without the images it is not known which are unusual.
    let excess = counters.bytes - (bytesOfItems - table.frontBytes)
    let front = MemoryLayout<ImageFront>.stride
    let isExplained =
      count == 0
      ? excess == 0 : excess % count == 0 || (0...count * front).contains(excess) && excess % front == 0
    counters.bytes = bytesOfItems
    counters.peakBytes = max(counters.peakBytes, bytesOfItems)
    isFull = snapshot.hasBeenFull
    try require(
      isExplained && counters.items == count
        && counters.insertions - counters.evictions - counters.forgotten == count
        && counters.peakItems >= count && snapshot.counters.peakBytes >= snapshot.counters.bytes,
      "its counters are not those of its \(count) items")
    switch capacity {
    case .examples(let limit): try require(counters.peakItems <= limit, "it held more than \(limit) items")
    case .bytes(let limit): try require(counters.peakBytes <= limit, "it held more than \(limit) bytes")
    }
  }
}
