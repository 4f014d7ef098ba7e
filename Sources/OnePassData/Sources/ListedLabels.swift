import OnePassCore

/// The different labels of a list, each kept once, until it is known whether they are numbers or names.
struct ListedLabels {
  private var texts: [String] = []
  /// Where each first stood, for sentences.
  private var lines: [Int] = []
  private var places: [String: UInt32] = [:]

  /// What the labels of a list mean.
  struct Classes {
    /// The class of each different label, in the order of their first appearance.
    let labels: [UInt32]
    let count: Int
    let names: [String]?
  }

  /// The place of this label among the different ones.
  mutating func place(of text: String, line: Int) -> UInt32 {
    if let place = places[text] { return place }
    let place = UInt32(texts.count)
    places[text] = place
    texts.append(text)
    lines.append(line)
    return place
  }

  /// Decides between numbers and names; see ``ListTable`` for the rule.
  /// - Throws: `OnePassError` (`badData`) that names the first line whose label is not one of the classes.
  func classes(named names: [String]?, in list: String) throws -> Classes {
    let known = Dictionary((names ?? []).enumerated().map { ($1, UInt32($0)) }) { first, _ in first }
    let areNames = names != nil && texts.allSatisfy { known[$0] != nil }
    if !areNames, texts.allSatisfy(isNumber) { return try numbers(below: names?.count, names, in: list) }
    if let names { return Classes(labels: try look(up: known, in: list), count: names.count, names: names) }
    // By bytes, as FolderTable sorts its class folders.
    let own = texts.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let ranks = Dictionary(own.enumerated().map { ($1, UInt32($0)) }) { first, _ in first }
    return Classes(labels: try look(up: ranks, in: list), count: own.count, names: own)
  }

  private func isNumber(_ text: String) -> Bool {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private func numbers(below limit: Int?, _ names: [String]?, in list: String) throws -> Classes {
    let largest = limit.map { $0 - 1 } ?? Int(Int32.max)
    let labels = try zip(texts, lines).map { text, line in
      guard let number = Int(text), number <= largest else {
        throw OnePassError(
          .badData,
          "Line \(line) of \(list) has the label \(text), but classes are numbered from 0 to \(largest). "
            + "Correct the label.")
      }
      return UInt32(number)
    }
    return Classes(labels: labels, count: limit ?? Int(labels.max() ?? 0) + 1, names: names)
  }

  private func look(up known: [String: UInt32], in list: String) throws -> [UInt32] {
    try zip(texts, lines).map { text, line in
      guard let label = known[text] else {
        let example = known.first { $0.value == 0 }.map { " (\($0.key), …)" } ?? ""
        throw OnePassError(
          .badData,
          "Line \(line) of \(list) has the label \"\(text)\", which is not one of the \(known.count) classes "
            + "known\(example). Correct or remove the line.")
      }
      return label
    }
  }
}
