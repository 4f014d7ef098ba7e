extension ReplayMemory {
  /// Removes items because they have to be forgotten, with their images; where those lie on disk, they are overwritten.
  ///
  /// Room that becomes free is given to the next examples that are offered.
  /// - Returns: What was removed.
  /// - Throws: `OnePassError` (`io`) if an image on disk cannot be overwritten; the memory is then not to be used.
  /// - Complexity: O(count).
  @discardableResult
  public mutating func forget(where isToGo: (MemoryItem) -> Bool) throws -> [MemoryItem] {
    let subjects = subjects
    return try removeSlots { isToGo(MemoryItem($0, subject: subjects[$0.arrival])) }
      .reversed().map { MemoryItem($0, subject: subjects[$0.arrival]) }
  }

  /// Removes the items that came before a position of the stream, because their time is over.
  /// - Throws: As above.
  /// - Complexity: O(count).
  public mutating func forget(before position: Int) throws {
    _ = try removeSlots { $0.arrival < position }
  }

  private mutating func removeSlots(where isToGo: (HeldItem) -> Bool) throws -> [HeldItem] {
    var gone: [HeldItem] = []
    // From the end, so that the item that takes a free slot has been looked at.
    for slot in (0..<count).reversed() {
      let item = held[slot]
      guard isToGo(item) else { continue }
      try remove(slot)
      counters.forgotten += 1
      gone.append(item)
    }
    if !gone.isEmpty { isFull = false }
    return gone
  }
}
