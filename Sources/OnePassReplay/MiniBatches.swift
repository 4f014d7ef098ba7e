import OnePassCore

extension ReplayMemory {
  /// Offers a mini-batch, one after the other, in less time.
  /// - Parameters:
  ///   - examples: The next examples.
  ///   - losses: The loss of each.
  ///   - priorities: The priority of each.
  ///   - encode: Makes the form in which an image is kept, as for one example.
  /// - Throws: As for one example; the memory then holds what it held after the one before.
  /// - Returns: What became of each.
  @discardableResult
  public mutating func offer(
    _ examples: [Example], losses: [Float], priorities: [Float],
    storing encode: (EncodedImage) throws -> EncodedImage = { $0 }
  ) throws -> [Offer] {
    precondition(
      examples.count == losses.count && examples.count == priorities.count, "Each has a loss and a priority.")
    readAhead(offers: examples.count)
    return try examples.indices.map {
      try offer(examples[$0], loss: losses[$0], priority: priorities[$0], storing: encode)
    }
  }

  /// Reads what the next offers need, where it is known which items will make room: a full memory's, chosen uniformly.
  private mutating func readAhead(offers: Int) {
    guard capacity == .examples(count), var evicting = evicting as? UniformSelector else { return }
    let victims = (0..<offers).compactMap { ahead -> Int? in
      let seen = counters.examplesSeen + 1 + ahead
      var generator = SeededGenerator(seed: seed, .reservoir, seen)
      guard includes(seen: seen, capacity: count, using: &generator) else { return nil }
      return evicting.select(using: &generator).slot
    }
    table.readAhead(victims)
    drawing.readAhead(victims)
  }
}
