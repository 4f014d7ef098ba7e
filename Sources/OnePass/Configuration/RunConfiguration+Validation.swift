import OnePassCore

extension RunConfiguration {
  /// Refuses options that cannot mean anything, by themselves or together, before any data is touched.
  /// - Throws: `OnePassError` (`usage`) naming the first such option.
  public func validate() throws {
    try validateValues()
    try validateAugmentation()
    try validateStoredForm()
    guard !(priority.followsReplays && priorityTiming != .refreshed && method == .replay) else {
      throw OnePassError(
        .usage,
        "--priority \(priority.rawValue) follows the losses that items have when they are replayed: "
          + "give --priority-timing refreshed as well.")
    }
    guard !(importanceWeights && drawing.mixesOrderWithChance && method == .replay) else {
      throw OnePassError(
        .usage,
        "--drawing \(drawing.rawValue) chooses partly by an order, and such a draw has no probability to weight by: "
          + "give --no-importance-weights, or mix selectors that go by chance.")
    }
  }
}
