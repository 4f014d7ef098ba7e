/// What a source left out and what it chose, with counts and an example of each.
///
/// A source reports every entry that it does not deliver and every decision between several readings of its data. A run
/// shows the report once, records it in `result.json` and, with `--strict`, treats it as an error.
///
/// ```swift
/// var report = SourceReport()
/// report.leaveOut("blank frame", example: "frame 17")
/// report.choose("the camera's channel", taken: "left", others: ["right"])
/// for notice in report.notices(of: "camera") { print(notice) }
/// ```
public struct SourceReport: Codable, Hashable, Sendable {
  /// The entries that were left out for one reason.
  public struct LeftOut: Codable, Hashable, Sendable {
    /// Why they were left out.
    public let reason: LeftOutReason
    /// Their number.
    public fileprivate(set) var count: Int
    /// The name of the first of them.
    public let example: String
  }

  /// A decision between several readings of the data.
  public struct Choice: Codable, Hashable, Sendable {
    /// The subject of the decision, for example `the label column`.
    public let what: String
    /// The reading that the source uses.
    public let taken: String
    /// The readings that it does not use.
    public let others: [String]
  }

  /// The entries that were left out, one element per reason, in the order of first appearance.
  public private(set) var leftOut: [LeftOut] = []
  /// The decisions, in order.
  public private(set) var choices: [Choice] = []
  /// The index in `leftOut` of the last reason. Successive entries often have the same reason.
  private var last = 0

  /// The maximum number of reasons; entries with further reasons are counted under ``LeftOutReason/other``.
  static let mostReasons = 64

  private enum CodingKeys: CodingKey { case leftOut, choices }

  /// Creates an empty report.
  public init() {}

  /// Whether nothing was left out and nothing was chosen.
  public var isEmpty: Bool { leftOut.isEmpty && choices.isEmpty }

  /// The number of entries that were left out.
  public var leftOutCount: Int { leftOut.reduce(0) { $0 + $1.count } }

  /// The numbers of left-out entries by reason, as in `result.json`.
  public var counts: [String: Int] {
    Dictionary(uniqueKeysWithValues: leftOut.map { ($0.reason.rawValue, $0.count) })
  }

  /// Counts an entry that is not delivered.
  /// - Parameters:
  ///   - reason: Why it is left out.
  ///   - example: The name of the entry, evaluated only for the first one with this reason.
  public mutating func leaveOut(_ reason: LeftOutReason, example: @autoclosure () -> String) {
    leaveOut(1, reason, example: example())
  }

  /// Counts several entries.
  package mutating func leaveOut(_ count: Int, _ reason: LeftOutReason, example: @autoclosure () -> String) {
    add(count, reason, example: example())
  }

  private mutating func add(_ count: Int, _ reason: LeftOutReason, example: @autoclosure () -> String) {
    if last < leftOut.count, leftOut[last].reason == reason {
      leftOut[last].count += count
    } else if let index = leftOut.firstIndex(where: { $0.reason == reason }) {
      leftOut[index].count += count
      last = index
    } else if leftOut.count >= Self.mostReasons - 1, reason != .other {
      add(count, .other, example: example())
    } else {
      last = leftOut.count
      leftOut.append(LeftOut(reason: reason, count: count, example: example()))
    }
  }

  /// Records a decision. A further decision about the same subject is ignored.
  /// - Parameters:
  ///   - what: The subject, for example `the label column`.
  ///   - taken: The reading that the source uses.
  ///   - others: The readings that it does not use.
  public mutating func choose(_ what: String, taken: String, others: [String]) {
    guard !choices.contains(where: { $0.what == what }) else { return }
    choices.append(Choice(what: what, taken: taken, others: others))
  }

  /// Adds the counts and decisions of another part of the source.
  public mutating func add(_ other: SourceReport) {
    for entry in other.leftOut { add(entry.count, entry.reason, example: entry.example) }
    for choice in other.choices { choose(choice.what, taken: choice.taken, others: choice.others) }
  }

  /// This report without the counts of a part of the source. Decisions are kept.
  package func subtracting(_ part: SourceReport) -> SourceReport {
    var rest = self
    for entry in part.leftOut {
      guard let index = rest.leftOut.firstIndex(where: { $0.reason == entry.reason }) else { continue }
      rest.leftOut[index].count -= entry.count
    }
    rest.leftOut.removeAll { $0.count <= 0 }
    return rest
  }

  /// The value of an entry that is taken; counts the entry and returns `nil` if it is left out.
  /// - Parameters:
  ///   - verdict: The decision about the entry.
  ///   - name: The name of the entry, evaluated only for the first one with its reason.
  @inlinable
  public mutating func take<Value>(_ verdict: Verdict<Value>, named name: @autoclosure () -> String) -> Value?
  {
    switch verdict {
    case .take(let value): return value
    case .leaveOut(let reason):
      leaveOut(reason, example: name())
      return nil
    }
  }

  public static func == (a: SourceReport, b: SourceReport) -> Bool {
    Set(a.leftOut) == Set(b.leftOut) && a.choices == b.choices
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(Set(leftOut))
    hasher.combine(choices)
  }
}

/// The decision about one entry of a source: a file, an archive member, a line, a row.
///
/// Every enumeration of entries in OnePass takes a closure that returns a verdict, so an entry cannot be dropped without a
/// reason.
///
/// ```swift
/// func verdict(on frame: [UInt8]) -> Verdict<EncodedImage> {
///   frame.isEmpty ? .leaveOut("blank frame") : .take(EncodedImage(bytes: frame))
/// }
/// ```
public enum Verdict<Value> {
  /// The entry is used, as this value.
  case take(Value)
  /// The entry is not used.
  case leaveOut(LeftOutReason)
}

extension Verdict: Sendable where Value: Sendable {}

/// Why a source leaves an entry out, as a short and stable text.
///
/// Programs define further reasons by their text.
///
/// ```swift
/// let blankFrame: LeftOutReason = "blank frame"
/// ```
public struct LeftOutReason: RawRepresentable, Hashable, Codable, Sendable, ExpressibleByStringLiteral {
  /// The text in notices and in `result.json`.
  public let rawValue: String

  /// Creates a reason from its text.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// Creates a reason from its text.
  public init(stringLiteral text: String) { rawValue = text }

  /// Entries of a report that already has many different reasons.
  public static let other: LeftOutReason = "other reasons"
}

// MARK: Notices

extension SourceReport {
  /// The number of reasons that a notice lists.
  private static let reasonsShown = 6

  /// The report as messages for the user: one for all entries that were left out, and one for each decision.
  /// - Parameter source: The specification of the source.
  public func notices(of source: String) -> [String] {
    var notices: [String] = []
    if let text = leftOutText {
      notices.append(
        "\(source): left out \(leftOutCount) \(leftOutCount == 1 ? "entry" : "entries"): \(text).")
    }
    for choice in choices {
      let others = choice.others.isEmpty ? "" : ", not \(choice.others.joined(separator: ", "))"
      notices.append("\(source): chose \(choice.what): \(choice.taken)\(others).")
    }
    return notices
  }

  /// The reasons with counts and examples; `nil` if nothing was left out.
  private var leftOutText: String? {
    guard !leftOut.isEmpty else { return nil }
    let sorted = leftOut.sorted { ($1.count, $0.reason.rawValue) < ($0.count, $1.reason.rawValue) }
    var parts = sorted.prefix(Self.reasonsShown).map {
      "\($0.reason.rawValue): \($0.count), for example \($0.example)"
    }
    if sorted.count > Self.reasonsShown { parts.append("\(sorted.count - Self.reasonsShown) more reasons") }
    return parts.joined(separator: "; ")
  }

  /// The part of this report that an earlier one has no entry for: new reasons and new decisions.
  package func news(since earlier: SourceReport) -> SourceReport {
    var news = SourceReport()
    let known = Set(earlier.leftOut.map(\.reason))
    news.leftOut = leftOut.filter { !known.contains($0.reason) }
    news.choices = choices.filter { !earlier.choices.contains($0) }
    return news
  }

  /// Whether the report has as many reasons and decisions as an earlier state of it. Takes constant time.
  package func hasSameKinds(as earlier: SourceReport) -> Bool {
    leftOut.count == earlier.leftOut.count && choices.count == earlier.choices.count
  }

  /// Throws if anything was left out or chosen.
  /// - Parameter source: The specification of the source.
  /// - Throws: `OnePassError` (`badData`).
  package func requireEmpty(of source: String) throws {
    guard isEmpty else { throw OnePassError.sourceIsNotWhole(notices(of: source)) }
  }
}

extension ExampleSource {
  /// The check of `--strict`: if `isStrict`, throws if the source has left out or chosen anything so far.
  /// - Throws: `OnePassError` (`badData`).
  package func checkReport(isStrict: Bool) throws {
    if isStrict { try report.requireEmpty(of: specification) }
  }
}

// MARK: Names

extension String {
  /// The text of a name in bytes. Bytes that are not UTF-8 and control characters are escaped, as `\xE9`.
  package init(escaping name: some Collection<UInt8>) {
    if let text = String(validating: name, as: UTF8.self),
      !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
    {
      self = text
      return
    }
    var text = ""
    var bytes = name[...]
    while let byte = bytes.first {
      let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
      if byte >= 32, byte != 127, let scalar = String(validating: bytes.prefix(length), as: UTF8.self) {
        text += scalar
        bytes = bytes.dropFirst(length)
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        text += "\\x" + (digits.count < 2 ? "0" : "") + digits
        bytes = bytes.dropFirst()
      }
    }
    self = text
  }
}
