import OnePassCore

/// The order of classes that have only names, and the meaning of numbers as names: one rule for all sources.
enum ClassOrder {
  /// The names in label order: by value if all of them are decimal numbers, otherwise by their bytes.
  ///
  /// Numbers from 0 without gaps are then their own labels, as in lists and shards.
  static func sorted(_ names: some Sequence<ArraySlice<UInt8>>) -> [ArraySlice<UInt8>] {
    let names = Array(names)
    guard names.allSatisfy({ isNumber($0) }) else {
      return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
    return names.sorted { a, b in
      let (first, second) = (a.drop { $0 == zero }, b.drop { $0 == zero })
      if first.count != second.count { return first.count < second.count }
      if first != second { return first.lexicographicallyPrecedes(second) }
      return a.count < b.count
    }
  }

  /// The names in label order; see above.
  static func sorted(_ names: [[UInt8]]) -> [[UInt8]] { sorted(names.map { $0[...] }).map(Array.init) }

  /// The names in label order; see above.
  static func sorted(_ names: some Sequence<String>) -> [String] {
    sorted(names.map { Array($0.utf8)[...] }).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether a name is a decimal number of 0 or more.
  static func isNumber(_ name: some Collection<UInt8>) -> Bool {
    !name.isEmpty && name.allSatisfy { (zero...UInt8(ascii: "9")).contains($0) }
  }

  /// How a number among labels refers to classes with these names.
  static func reading(of names: [String]) -> NumberReading {
    guard !names.isEmpty, names.allSatisfy({ isNumber($0.utf8) }) else { return .position }
    let isBeyond = names.allSatisfy { Int($0).map { $0 >= names.count } ?? true }
    return isBeyond ? .nameOrPosition : .name
  }

  /// How a number among labels refers to a class.
  enum NumberReading {
    /// It is the position of the class.
    case position
    /// It is the name of the class, because the names are numbers.
    case name
    /// It is the name or else the position. No name is a position.
    case nameOrPosition
  }

  private static let zero = UInt8(ascii: "0")
}
