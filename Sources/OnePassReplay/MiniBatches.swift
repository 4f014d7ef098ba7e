import OnePassCore

extension ReplayMemory {
  /// Offers the examples of a mini-batch in order. Faster than single offers, with the same result.
  /// - Parameters:
  ///   - examples: The next examples of the stream.
  ///   - losses: Their losses, in nats, `[N]`.
  ///   - priorities: Their priorities, `[N]`; finite and at least 0.
  ///   - notes: Their notes, `[N]`; empty if the memory stores none.
  ///   - encode: Returns the stored form of an image. Called at most once per example, and not for declined examples.
  /// - Throws: The error of `encode`; `OnePassError` (`io`) if images are on disk and cannot be written. The examples before
  ///   the failed one have been offered.
  /// - Returns: The outcome of each offer, `[N]`.
  @discardableResult
  public mutating func offer(
    _ examples: [Example], losses: [Float], priorities: [Float], notes: [ItemNote] = [],
    storing encode: (EncodedImage) throws -> EncodedImage = { $0 }
  ) throws -> [Offer] {
    precondition(
      examples.count == losses.count && examples.count == priorities.count,
      "Each example must have a loss and a priority.")
    precondition(
      notes.count == (noteBytes == 0 ? 0 : examples.count),
      "Each example must have a note if the memory stores notes, and none otherwise.")
    readAhead(examples)
    return try examples.indices.map { index in
      let note = noteBytes == 0 ? nil : notes[index]
      Self.check(loss: losses[index], priority: priorities[index])
      check(note)
      // Declined examples are not read, which would cost a cache miss.
      guard var chance = chanceOfNextOffer(of: examples[index].label) else { return .declined }
      return try takeIn(
        examples[index], loss: losses[index], priority: priorities[index], note: note,
        storing: encode, using: &chance)
    }
  }

  /// Prefetches the data of the next offers. Only a full memory with uniform eviction has known victims.
  private mutating func readAhead(_ examples: [Example]) {
    guard capacity == .examples(count), var evicting = evicting as? UniformSelector else { return }
    var victims: [Int] = []
    var bytes = 0
    for index in examples.indices {
      let seen = counters.examplesSeen + 1 + index
      var generator = SeededGenerator(seed: seed, .reservoir, seen)
      guard includes(seen: seen, capacity: count, using: &generator) else { continue }
      victims.append(evicting.select(using: &generator).slot)
      bytes &+= examples[index].image.byteCount
    }
    readAhead = table.readAhead(victims) &+ bytes
    drawing.readAhead(victims)
  }
}
