import OnePassCore

/// The classes that the labels of samples stand for.
///
/// A label is an integer or the name of a class. A survey finds the classes of samples without class names.
final class ShardLabels {
  /// The names of the classes in label order; `nil` if there are none.
  private(set) var names: [String]?
  private var labelsByName: [String: Int]
  /// How a label that is a number refers to the names.
  private var numbers: ClassOrder.NumberReading
  /// Whether the names are those of a survey, in their sorted order.
  private(set) var areSorted = false
  /// The labels found by a survey; `nil` outside surveys.
  private var found: Found?
  /// The names of open classes, in the order in which they were read; `nil` if classes are not open.
  private var open: (names: [String], numbers: [String: Int])?

  private struct Found {
    var largest = -1
    var isNegative = false
    /// The number of examples with each small number.
    var small: [Int] = []
    var large: [Int: Large] = [:]
    /// Numbers of more than 18 digits.
    var huge: [String: Large] = [:]
    var texts: Set<String> = []

    /// A large number's examples, and the first of them.
    struct Large {
      var examples = 0
      let first: String
    }

    static let smallNumbers = 1_000

    var different: Int { small.count { $0 > 0 } + large.count }
    var numbers: [(number: Int, examples: Int)] {
      zip(small.indices, small).filter { $1 > 0 } + large.map { ($0, $1.examples) }
    }

    mutating func note(_ number: Int, of sample: () -> String) {
      largest = max(largest, number)
      if (0..<Self.smallNumbers).contains(number) {
        if small.isEmpty { small = Array(repeating: 0, count: Self.smallNumbers) }
        small[number] += 1
      } else if number < 0 {
        isNegative = true
      } else {
        large[number, default: Large(first: sample())].examples += 1
      }
    }

    mutating func note(_ text: String, of sample: () -> String) {
      if text.utf8.allSatisfy({ (48...57).contains($0) }) {
        huge[text, default: Large(first: sample())].examples += 1
      } else {
        texts.insert(text)
      }
    }

    /// - Throws: `OnePassError` (`badData`) with the sample of a number that is neither an index nor an identifier.
    func checkForStrayNumber() throws {
      guard
        let indices = LabelDensity.indices(among: numbers + huge.values.map { (.max, $0.examples) })
      else { return }
      let strays =
        large.filter { !indices.contains($0.key) }.map { ("\($0)", $1.first) } + huge.map { ($0, $1.first) }
      guard let stray = strays.min(by: { $0.1 < $1.1 }) else { return }
      throw OnePassError.strayLabel(stray.0, at: stray.1, indices: indices)
    }
  }

  init(names: [String]?) {
    self.names = names
    labelsByName = Self.labels(of: names)
    numbers = names.map(ClassOrder.reading) ?? .position
  }

  /// An empty set of classes that notes every label, for a survey.
  static func collecting() -> ShardLabels {
    let labels = ShardLabels(names: nil)
    labels.found = Found()
    return labels
  }

  /// Classes without a list: each label is the name of a class, which ``openName(of:)`` returns.
  ///
  /// Numbers are names too; see ``OpenClassName``.
  static func open() -> ShardLabels {
    let labels = ShardLabels(names: nil)
    labels.open = ([], [:])
    return labels
  }

  var isOpen: Bool { open != nil }

  /// The name of an open class by the number that ``label(of:_:)`` has returned; `nil` if classes are not open.
  func openName(of number: Int) -> String? { open?.names[number] }

  private func openNumber(of label: [UInt8]) -> Int? {
    guard let open, let name = OpenClassName.name(of: label) else { return nil }
    if let number = open.numbers[name] { return number }
    self.open?.names.append(name)
    self.open?.numbers[name] = open.names.count
    return open.names.count
  }

  /// Notes a number that is a label, in a survey.
  func note(_ number: Int, of sample: () -> String) { found?.note(number, of: sample) }

  private static func labels(of names: [String]?) -> [String: Int] {
    Dictionary((names ?? []).enumerated().map { ($1, $0) }) { first, _ in first }
  }

  /// Uses the labels that a survey has found.
  /// - Parameters:
  ///   - survey: The labels after the survey.
  ///   - classCount: The number of classes, if it is known.
  /// - Returns: The number of classes, and whether numbers were read as names because they are too sparse for indices.
  /// - Throws: `OnePassError` (`badData`) if one label is far from all others.
  func adopt(_ survey: ShardLabels, classCount: Int?) throws -> (count: Int, areSparseNumbers: Bool) {
    guard let found = survey.found, names == nil else { return (names?.count ?? 0, false) }
    var areSparse = false
    if found.texts.isEmpty {
      let areIndices =
        if !found.huge.isEmpty { false } else if found.isNegative { true } else if let classCount {
          found.largest < classCount || classCount != found.different
        } else { LabelDensity.areIndices(largest: found.largest, different: found.different) }
      guard !areIndices else { return (classCount ?? found.largest + 1, false) }
      try found.checkForStrayNumber()
      areSparse = true
    }
    let all = found.texts.union(found.numbers.map { "\($0.number)" }).union(found.huge.keys)
    let sorted = ClassOrder.sorted(all)
    (names, labelsByName, numbers, areSorted) = (sorted, Self.labels(of: sorted), .name, true)
    return (sorted.count, areSparse)
  }

  /// The label that a text stands for, with or without space around it; `nil` if it is not a class.
  /// - Parameter sample: Returns the shard and key of its sample, for error messages of a survey.
  func label(of bytes: [UInt8], _ sample: () -> String) -> Int? {
    if isOpen { return openNumber(of: bytes) }
    let text = Self.trimmed(bytes)
    let number = Self.integer(text)
    if let number, numbers != .name, found == nil {
      // A number outside the classes may be a name.
      guard let names, !names.indices.contains(number) else { return number }
      return labelsByName[String(decoding: text, as: UTF8.self)] ?? number
    }
    guard found == nil else {
      if let number {
        found?.note(number, of: sample)
      } else {
        found?.note(String(decoding: text, as: UTF8.self), of: sample)
      }
      return 0
    }
    return labelsByName[String(decoding: text, as: UTF8.self)] ?? number.flatMap { labelsByName[String($0)] }
  }

  /// The text without space around it.
  static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    guard let last = bytes.lastIndex(where: { !isSpace($0) }) else { return [] }
    return bytes[...last].drop(while: isSpace)
  }

  static func integer(_ text: ArraySlice<UInt8>) -> Int? {
    let negative = text.first == UInt8(ascii: "-")
    let digits = negative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.count <= 18 else { return nil }
    var value = 0
    for byte in digits {
      guard (48...57).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 48)
    }
    return negative ? -value : value
  }
}
