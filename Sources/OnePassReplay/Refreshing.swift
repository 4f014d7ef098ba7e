import OnePassCore

// What is learnt of items while they are held: losses, priorities, predictions.
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
    guard holds(drawn) else { return }
    let (loss, priority) = try change(table.loss(of: drawn.slot))
    Self.check(loss: loss, priority: priority)
    table.setLoss(of: drawn.slot, to: loss)
    inform(drawn.slot, priority)
  }

  /// Gives a drawn item a new prediction, if it is still there.
  /// - Precondition: The memory keeps predictions.
  public mutating func refresh(_ drawn: DrawnExample, prediction: StoredPrediction) {
    precondition(isKept(prediction), "The memory keeps predictions, and this is one over its classes.")
    guard holds(drawn) else { return }
    table.setPrediction(of: drawn.slot, to: prediction)
  }

  /// Whether a drawn item is still where it was.
  private func holds(_ drawn: DrawnExample) -> Bool {
    drawn.slot < count && table.arrival(of: drawn.slot) == drawn.example.id
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
}
