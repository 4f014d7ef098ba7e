extension ReplayMemory {
  /// Removes items that must be forgotten, and overwrites their images.
  ///
  /// If drawn examples still use an image in RAM, it is overwritten when the last of them is deallocated. The next offered
  /// examples fill the free space.
  /// - Parameter shouldRemove: Returns whether to remove an item.
  /// - Returns: The removed items.
  /// - Throws: `OnePassError` (`io`) if an image on disk cannot be overwritten. The memory must then not be used.
  /// - Complexity: O(count).
  @discardableResult
  public mutating func forget(where shouldRemove: (MemoryItem) -> Bool) throws -> [MemoryItem] {
    var gone: [MemoryItem] = []
    try removeSlots { memory, slot in
      let item = memory.item(in: slot)
      guard shouldRemove(item) else { return false }
      gone.append(item)
      return true
    }
    return gone.reversed()
  }

  /// Removes items from before a position of the stream, whose time to live has ended.
  /// - Throws: `OnePassError` (`io`) if an image on disk cannot be overwritten. The memory must then not be used.
  /// - Complexity: O(count).
  public mutating func forget(before position: Int) throws {
    try removeSlots { memory, slot in memory.table.arrival(of: slot) < position }
  }

  private mutating func removeSlots(where shouldRemove: (borrowing ReplayMemory, Int) -> Bool) throws {
    let before = count
    // From the end, so that the item that moves into a free slot has already been examined.
    for slot in (0..<count).reversed() where shouldRemove(self, slot) {
      try remove(slot, isOverwritten: true)
      counters.forgotten += 1
    }
    if count < before { isFull = false }
  }
}
