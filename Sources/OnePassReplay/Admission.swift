import OnePassCore

/// Which examples a memory inserts: those that the reservoir includes, or that the evicting selector admits.
///
/// Source: Hu et al. 2021, section 3.1.
extension ReplayMemory {
  /// Counts an offer. Returns the generator for its further choices, or `nil` if the reservoir has declined it.
  mutating func chanceOfNextOffer(of label: Int) -> SeededGenerator? {
    counters.examplesSeen += 1
    if evictingAdmits { evicting.observe(label) }
    var generator = SeededGenerator(seed: seed, .reservoir, counters.examplesSeen)
    let room: Int? =
      switch capacity {
      case .examples(let limit): count < limit ? nil : limit
      case .bytes: isFull ? count : nil
      }
    guard let room else { return generator }
    return admits(label, capacity: room, using: &generator) ? generator : nil
  }

  /// Whether a full memory of `capacity` items inserts the example that is being offered.
  mutating func admits(_ label: Int, capacity: Int, using generator: inout SeededGenerator) -> Bool {
    evictingAdmits
      ? evicting.admits(label, using: &generator)
      : includes(seen: counters.examplesSeen, capacity: capacity, using: &generator)
  }

  /// Returns which of the next offers may be inserted. All others will certainly be declined.
  ///
  /// If the evicting selector decides, any of them may be.
  package func mayTakeIn(_ offers: Int) -> [Bool] {
    guard !evictingAdmits else { return Array(repeating: true, count: offers) }
    // An upper bound of the size of a full memory in bytes at the last offer: each offer adds at most one item.
    let fullSize: Int? =
      switch capacity {
      case .examples(let limit): limit
      case .bytes: isFull ? count + offers : nil
      }
    var room = if case .examples(let limit) = capacity { limit - count } else { 0 }
    return (0..<offers).map { before in
      guard let fullSize else { return true }
      if room > 0 {
        room -= 1
        return true
      }
      let seen = counters.examplesSeen + before + 1
      var generator = SeededGenerator(seed: seed, .reservoir, seen)
      return includes(seen: seen, capacity: fullSize, using: &generator)
    }
  }

  /// Whether the reservoir includes an example, in a full memory of `capacity` items after `seen` examples.
  func includes(seen: Int, capacity: Int, using generator: inout SeededGenerator) -> Bool {
    generator.nextUnit() < inclusion(examplesSeen: seen, capacity: capacity)
  }
}
