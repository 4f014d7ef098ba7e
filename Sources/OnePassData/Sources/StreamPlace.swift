import OnePassCore

/// The position of a stream with random access.
struct StreamPlace {
  private(set) var position = 0
  let count: Int

  /// Returns the example at the position and advances; `nil` at the end. If `example` throws, the position stays.
  mutating func next(_ example: (Int) throws -> Example) rethrows -> Example? {
    guard position < count else { return nil }
    let next = try example(position)
    position += 1
    return next
  }

  /// - Returns: The number of examples skipped.
  mutating func skip(_ wanted: Int) -> Int {
    let skipped = min(wanted, count - position)
    position += skipped
    return skipped
  }

  /// - Throws: `OnePassError` (`badData`) if the stream is shorter.
  mutating func restore(to position: Int, of specification: String) throws {
    try checkRestore(to: position, within: count, of: specification)
    self.position = position
  }
}

/// Throws if a stream of `count` examples cannot resume at a position.
func checkRestore(to position: Int, within count: Int, of specification: String) throws {
  guard position >= 0, position <= count else {
    throw OnePassError.cannotResume(specification, at: position, of: count)
  }
}
