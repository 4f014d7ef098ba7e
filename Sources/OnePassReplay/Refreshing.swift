import OnePassCore

// Updates of items after replays: losses, priorities, notes.
extension ReplayMemory {
  /// Sets the loss and the priority of a drawn item, unless it was removed.
  ///
  /// Source: Hu et al. 2021, section 4.3, "priority updating".
  /// - Parameters:
  ///   - drawn: The item.
  ///   - loss: Its new loss, in nats; not NaN.
  ///   - priority: Its new priority; finite and at least 0.
  public mutating func refresh(_ drawn: DrawnExample, loss: Float, priority: Float) {
    refresh(drawn) { _ in (loss, priority) }
  }

  /// Computes the loss and the priority of a drawn item from its stored loss, unless it was removed.
  /// - Parameters:
  ///   - drawn: The item.
  ///   - change: Returns the new loss and priority, which must be finite and at least 0. Not called if the item was removed.
  /// - Throws: The error of `change`.
  public mutating func refresh(
    _ drawn: DrawnExample, _ change: (_ kept: Float) throws -> (loss: Float, priority: Float)
  ) rethrows {
    guard holds(drawn) else { return }
    let (loss, priority) = try change(table.loss(of: drawn.slot))
    Self.check(loss: loss, priority: priority)
    table.setLoss(of: drawn.slot, to: loss)
    inform(drawn.slot, priority)
  }

  /// Sets the note of a drawn item, unless it was removed.
  /// - Precondition: The note has the size of the memory's notes.
  public mutating func refresh(_ drawn: DrawnExample, note: ItemNote) {
    check(note)
    guard holds(drawn) else { return }
    table.setNote(of: drawn.slot, to: note)
  }

  /// Returns whether a drawn item is still in its slot.
  private func holds(_ drawn: DrawnExample) -> Bool {
    drawn.slot < count && table.arrival(of: drawn.slot) == drawn.example.id
  }

  /// Recomputes the priority of every item from its stored loss.
  /// - Parameter priority: Returns the priority for a loss; finite and at least 0.
  /// - Throws: The error of `priority`.
  /// - Complexity: O(count).
  public mutating func reprioritise(_ priority: (_ loss: Float) throws -> Float) rethrows {
    for slot in 0..<count { inform(slot, try priority(table.loss(of: slot))) }
  }

  /// The mean of the stored losses, in nats; `nil` for an empty memory.
  /// - Complexity: O(count).
  public var meanLoss: Double? {
    count == 0 ? nil : (0..<count).reduce(0) { $0 + Double(table.loss(of: $1)) } / Double(count)
  }
}
