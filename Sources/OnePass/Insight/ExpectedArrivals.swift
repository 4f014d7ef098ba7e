import OnePassReplay

extension InclusionProbability {
  /// The expected number of items from each part of the stream, in a memory with uniform eviction.
  ///
  /// The i-th example is admitted with probability p_i (1 until the memory is full). Each later example j of a full memory
  /// replaces it with probability p_j / m.
  /// - Parameters:
  ///   - examplesSeen: The number of examples offered.
  ///   - capacity: m, the capacity in items.
  ///   - parts: The number of equal parts of the stream, the oldest first.
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
