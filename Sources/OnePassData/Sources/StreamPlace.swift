import OnePassCore

/// Where a stream stands whose examples can be had in any order.
struct StreamPlace {
  private(set) var position = 0
  let count: Int

  /// The example at this place, which is then passed; `nil` at the end.
  ///
  /// One that cannot be had is not passed.
  mutating func next(_ example: (Int) throws -> Example) rethrows -> Example? {
    guard position < count else { return nil }
    let next = try example(position)
    position += 1
    return next
  }

  /// - Returns: How many examples there were to pass over.
  mutating func skip(_ wanted: Int) -> Int {
    let skipped = min(wanted, count - position)
    position += skipped
    return skipped
  }

  /// - Throws: `OnePassError` (`badData`) if the stream has no such position.
  mutating func restore(to position: Int, of specification: String) throws {
    try checkRestore(to: position, within: count, of: specification)
    self.position = position
  }
}

/// Refuses a position at which a stream of `count` examples cannot go on.
func checkRestore(to position: Int, within count: Int, of specification: String) throws {
  guard position >= 0, position <= count else {
    throw OnePassError(
      .badData,
      "\(specification) holds \(count) examples and cannot go on at \(position). "
        + "Resume with the same data as before.")
  }
}
