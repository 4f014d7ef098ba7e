extension ReplayMemory {
  /// Removes items because they have to be forgotten, with their images, which are overwritten.
  ///
  /// An image in RAM that a drawn example still has is overwritten when the last such example goes.
  /// Room that becomes free is given to the next examples that are offered.
  /// - Returns: What was removed.
  /// - Throws: `OnePassError` (`io`) if an image on disk cannot be overwritten; the memory is then not to be used.
  /// - Complexity: O(count).
  @discardableResult
  public mutating func forget(where isToGo: (MemoryItem) -> Bool) throws -> [MemoryItem] {
    var gone: [MemoryItem] = []
    try removeSlots { memory, slot in
      let item = memory.item(in: slot)
      guard isToGo(item) else { return false }
      gone.append(item)
      return true
    }
    return gone.reversed()
  }

  /// Removes the items that came before a position of the stream, because their time is over.
  /// - Throws: As above.
  /// - Complexity: O(count).
  public mutating func forget(before position: Int) throws {
    try removeSlots { memory, slot in memory.table.arrival(of: slot) < position }
  }

  private mutating func removeSlots(where isToGo: (borrowing ReplayMemory, Int) -> Bool) throws {
    let before = count
    // From the end, so that the item that takes a free slot has been looked at.
    for slot in (0..<count).reversed() where isToGo(self, slot) {
      try remove(slot, isOverwritten: true)
      counters.forgotten += 1
    }
    if count < before { isFull = false }
  }
}
