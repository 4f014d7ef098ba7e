import OnePassCore

/// The state of a replay memory, without the images.
///
/// A restored memory makes exactly the same choices as the original. No generator is saved, since each random choice is a
/// function of the seed and its position.
///
/// ```swift
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1)
/// try memory.offer(example, loss: 2.3, priority: 0.9)
/// var restored = ReplayMemory(capacity: .examples(6_000), seed: 1)
/// try restored.restore(memory.snapshot) { _ in example.image }
/// ```
public struct MemorySnapshot: Hashable, Sendable {
  /// The counters of the memory.
  public var counters: MemoryCounters
  /// Whether a memory with a capacity in bytes has ever been full.
  public var hasBeenFull: Bool
  /// The items, in slot order.
  public var items: [MemoryItem]
  /// The arrangement of the drawing selector; see ``ItemSelector/arrangement``.
  public var drawingArrangement: [UInt32]
  /// The arrangement of the evicting selector.
  public var evictingArrangement: [UInt32]

  /// Creates a snapshot from its parts.
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
  /// The present state of the memory, without images.
  /// - Complexity: O(count).
  public var snapshot: MemorySnapshot {
    MemorySnapshot(
      counters: counters, hasBeenFull: isFull, items: Array(items), drawingArrangement: drawing.arrangement,
      evictingArrangement: evicting.arrangement)
  }

  /// Restores the state of another memory.
  /// - Parameters:
  ///   - snapshot: The snapshot of a memory with the same capacity, selectors and seed.
  ///   - image: Returns the image of an item, in its stored form. Not called with an external store. If it is `nil`, the memory
  ///     can be inspected and can forget items, and must not be drawn from.
  /// - Throws: `OnePassError` (`badData`) if the snapshot contradicts itself or this memory; the error of `image`. The memory
  ///   must then not be used.
  /// - Precondition: No example was offered to this memory.
  /// - Complexity: O(count).
  public mutating func restore(
    _ snapshot: MemorySnapshot, image: ((MemoryItem) throws -> EncodedImage)?
  ) throws {
    precondition(counters.examplesSeen == 0, "Only a new memory can be restored.")
    func require(_ condition: Bool, _ damage: @autoclosure () -> SnapshotDamage) throws {
      if !condition { throw OnePassError.damagedSnapshot(damage()) }
    }
    for item in snapshot.items {
      try require(item.priority.isFinite && item.priority >= 0, .priority(item.priority, item: item.id))
      try require(
        !item.loss.isNaN && (0...Int(Int32.max)).contains(item.label), .lossOrLabel(item: item.id))
      try require(
        (0...Int(UInt32.max)).contains(item.bytes), .imageSize(item.bytes, item: item.id))
      try require(
        (0..<snapshot.counters.examplesSeen).contains(item.id) && (0...Int(UInt32.max)).contains(item.draws),
        .positionOrDraws(item: item.id, draws: item.draws))
      try require(isKept(item.note), .note(item: item.id, expectedBytes: noteBytes))
      let held = HeldItem(
        item,
        image: store == nil
          ? try image.map { .here(try $0(item)) } ?? .elsewhere(bytes: item.bytes)
          : .elsewhere(bytes: item.bytes))
      if case .here(let image) = held.image {
        try require(ItemRow.fits(image), .encoding(item: item.id))
      }
      try require(
        held.image.byteCount == item.bytes,
        .image(item: item.id, bytes: held.image.byteCount, expectedBytes: item.bytes))
      keep(held, item.priority)
      subjects[item.id] = item.subject
    }
    try require(Set(snapshot.items.map(\.id)).count == count, .duplicateItem)
    try drawing.restore(arrangement: snapshot.drawingArrangement)
    try evicting.restore(arrangement: snapshot.evictingArrangement)
    counters = snapshot.counters
    let isExplained = isIndexOfSomeVersion(counters.bytes &- bytesOfItems)
    counters.bytes = bytesOfItems
    counters.peakBytes = max(counters.peakBytes, bytesOfItems)
    isFull = snapshot.hasBeenFull
    try require(
      isExplained && counters.items == count
        && counters.insertions - counters.evictions - counters.forgotten == count
        && counters.peakItems >= count && snapshot.counters.peakBytes >= snapshot.counters.bytes,
      .counters(items: count))
    switch capacity {
    case .examples(let limit): try require(counters.peakItems <= limit, .capacityExceeded(capacity))
    case .bytes(let limit):
      // The recorded value counts. With the present index, an older memory can exceed its capacity until the next offer.
      try require(snapshot.counters.peakBytes <= limit, .capacityExceeded(capacity))
    }
  }

  /// Whether a difference in counted bytes is explained by the index of another version.
  ///
  /// Items took more bytes, or 16 fewer (12 if selections depend on draws) with 40 additional bytes for some of them.
  private func isIndexOfSomeVersion(_ excess: Int) -> Bool {
    guard count > 0 else { return excess == 0 }
    let onTop = excess &+ count * (tellsDraws ? 12 : 16)
    return excess % count == 0 || (0...count * 40).contains(onTop) && onTop % 40 == 0
  }
}
