import OnePassReplay

extension InclusionProbability {
  /// How many items are to be expected from each part of the stream, in a memory that evicts by uniform chance.
  ///
  /// The i-th example came in with probability p_i (1 while there is room), and each later arrival that found the memory full
  /// took its place with probability p_j / m.
  /// - Parameters:
  ///   - examplesSeen: Examples that were offered.
  ///   - capacity: m, in items.
  ///   - parts: Equal parts of the stream, the oldest first.
  /// - Complexity: O(examplesSeen).
  package func expectedItems(examplesSeen: Int, capacity: Int, parts: Int) -> [Double] {
    var expected = [Double](repeating: 0, count: parts)
    guard examplesSeen > 0, capacity > 0 else { return expected }
    var survival = 1.0
    for number in (1...examplesSeen).reversed() {
      let included = number <= capacity ? 1 : self(examplesSeen: number, capacity: capacity)
      expected[(number - 1) * parts / examplesSeen] += included * survival
      if number > capacity { survival *= 1 - included / Double(capacity) }
    }
    return expected
  }
}
