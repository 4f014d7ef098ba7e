import OnePassCore

extension ReplayMemory {
  /// Gives a drawn item a new loss and priority, if it is still there (the paper's "priority updating").
  public mutating func refresh(_ drawn: DrawnExample, loss: Float, priority: Float) {
    precondition(
      priority.isFinite && priority >= 0, "A priority is finite and not negative, not \(priority).")
    guard holds(drawn) else { return }
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
}
