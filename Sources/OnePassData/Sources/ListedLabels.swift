import OnePassCore

/// The distinct labels of a list, collected until it is clear whether they are numbers or names.
struct ListedLabels {
  private var texts: [String] = []
  /// The line of each label's first appearance, for error messages.
  private var lines: [Int] = []
  private var places: [String: UInt32] = [:]
  /// The number of lines with each label.
  private var counts: [Int] = []

  /// The classes to which the labels of a list refer.
  struct Classes {
    /// The class of each distinct label, in the order of first appearance.
    let labels: [UInt32]
    let count: Int
    let names: [String]?
    /// Whether the labels are numbers that were read as names because they are too sparse for indices.
    var areSparseNumbers = false
  }

  /// The index of this label among the distinct ones.
  mutating func place(of text: String, line: Int) -> UInt32 {
    if let place = places[text] {
      counts[Int(place)] += 1
      return place
    }
    let place = UInt32(texts.count)
    places[text] = place
    texts.append(text)
    lines.append(line)
    counts.append(1)
    return place
  }

  /// Decides between numbers and names; see ``ListTable`` for the rules.
  /// - Throws: `OnePassError` (`badData`) with the first line whose label is not one of the classes.
  func classes(named names: [String]?, count: Int? = nil, in list: String) throws -> Classes {
    let known = Dictionary((names ?? []).enumerated().map { ($1, UInt32($0)) }) { first, _ in first }
    // Names that are numbers are not positions.
    let areNames =
      texts.allSatisfy { known[$0] != nil } && names != nil || names.map(ClassOrder.reading) == .name
    let areNumbers = texts.allSatisfy(isNumber)
    let limit = names?.count ?? count
    // Identifiers, as of taxa or products, are not indices.
    let areSparse =
      areNumbers && names == nil && (limit == nil || limit == texts.count) && !areIndices(below: limit)
    if areSparse { try checkForStrayNumber(in: list) }
    if !areNames, areNumbers, !areSparse { return try numbers(below: limit, names, in: list) }
    if let names {
      return Classes(labels: try look(up: known, of: names, in: list), count: names.count, names: names)
    }
    let own = ClassOrder.sorted(texts)
    let ranks = Dictionary(own.enumerated().map { ($1, UInt32($0)) }) { first, _ in first }
    return Classes(
      labels: try look(up: ranks, of: own, in: list), count: own.count, names: own,
      areSparseNumbers: areSparse)
  }

  private func checkForStrayNumber(in list: String) throws {
    let numbers = texts.map { Int($0) ?? .max }
    guard let indices = LabelDensity.indices(among: Array(zip(numbers, counts))),
      let stray = numbers.firstIndex(where: { !indices.contains($0) })
    else { return }
    throw OnePassError.strayLabel(texts[stray], at: "\(list):\(lines[stray])", indices: indices)
  }

  private func areIndices(below limit: Int?) -> Bool {
    let numbers = texts.map { Int($0) ?? .max }
    if let limit { return numbers.allSatisfy { $0 < limit } }
    return LabelDensity.areIndices(largest: numbers.max() ?? 0, different: Set(numbers).count)
  }

  private func isNumber(_ text: String) -> Bool { ClassOrder.isNumber(text.utf8) }

  private func numbers(below limit: Int?, _ names: [String]?, in list: String) throws -> Classes {
    let largest = limit.map { $0 - 1 } ?? Int(Int32.max)
    let labels = try zip(texts, lines).map { text, line in
      guard let number = Int(text), number <= largest else {
        throw OnePassError.labelIsOutOfRange(text, onLine: line, of: list, largest: largest)
      }
      return UInt32(number)
    }
    return Classes(labels: labels, count: limit ?? Int(labels.max() ?? 0) + 1, names: names)
  }

  private func look(up known: [String: UInt32], of names: [String], in list: String) throws -> [UInt32] {
    try zip(texts, lines).map { text, line in
      guard let label = known[text] else {
        throw OnePassError.unknownLabel(text, onLine: line, of: list, known: names)
      }
      return label
    }
  }
}

/// The rule by which numbers are class indices rather than identifiers.
enum LabelDensity {
  /// Numbers below this are always indices.
  private static let alwaysIndices = 1_000

  /// Whether numbers from 0 to `largest`, `different` of which occur, are indices of classes.
  static func areIndices(largest: Int, different: Int) -> Bool {
    largest < max(alwaysIndices, 2 * different)
  }

  /// The indices among sparse numbers, if the others are too few to be identifiers; otherwise `nil`.
  ///
  /// Indices are contiguous from 0 or 1. The others occur once, or in at most one of 1,000 examples.
  /// - Parameter numbers: The different numbers, each with its number of examples.
  static func indices(among numbers: [(number: Int, examples: Int)]) -> ClosedRange<Int>? {
    let sorted = numbers.sorted { $0.number < $1.number }
    guard let first = sorted.first?.number, (0...1).contains(first) else { return nil }
    let contiguous = zip(sorted, first...).prefix { $0.number == $1 }.count
    let others = sorted.dropFirst(contiguous).reduce(0) { $0 + $1.examples }
    let all = sorted.reduce(0) { $0 + $1.examples }
    guard contiguous >= 2, others <= max(1, all / 1_000) else { return nil }
    return first...(first + contiguous - 1)
  }
}

extension SourceReport {
  /// Records that numbers were read as names of classes.
  mutating func chooseNamesForNumbers() {
    choose(
      "the meaning of the numeric labels", taken: "names, one class for each that occurs",
      others: ["class indices, for which they are too sparse (pass --classes N if they are)"])
  }
}
