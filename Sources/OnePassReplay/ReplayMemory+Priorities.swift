import OnePassCore

// Priorities of items that are held already, and the losses that they are made of.
extension ReplayMemory {
  /// Gives a drawn item a new loss and priority, if it is still there (the paper's "priority updating").
  public mutating func refresh(_ drawn: DrawnExample, loss: Float, priority: Float) {
    refresh(drawn) { _ in (loss, priority) }
  }

  /// As above, with what they are made from: the loss that is kept of the item.
  /// - Parameters:
  ///   - drawn: The item.
  ///   - change: From the loss that is kept, the one that is to be kept and the priority, which is finite and not negative.
  ///     Not called if the item is gone.
  public mutating func refresh(
    _ drawn: DrawnExample, _ change: (_ kept: Float) throws -> (loss: Float, priority: Float)
  ) rethrows {
    guard drawn.slot < count, table.arrival(of: drawn.slot) == drawn.example.id else { return }
    let (loss, priority) = try change(table.loss(of: drawn.slot))
    Self.check(loss: loss, priority: priority)
    table.setLoss(of: drawn.slot, to: loss)
    inform(drawn.slot, priority)
  }

  /// Computes every item's priority anew from the loss that is stored with it.
  /// - Complexity: O(count).
  public mutating func reprioritise(_ priority: (_ loss: Float) throws -> Float) rethrows {
    for slot in 0..<count { inform(slot, try priority(table.loss(of: slot))) }
  }

  /// The mean of the losses that are stored with the items; `nil` where there are none.
  /// - Complexity: O(count).
  public var meanLoss: Double? {
    count == 0 ? nil : (0..<count).reduce(0) { $0 + Double(table.loss(of: $1)) } / Double(count)
  }

  /// The share of its capacity that the memory holds, 0 … 1.
  package var fill: Double {
    switch capacity {
    case .examples(let most): Double(counters.items) / Double(most)
    case .bytes(let most): Double(counters.bytes) / Double(most)
    }
  }
}
