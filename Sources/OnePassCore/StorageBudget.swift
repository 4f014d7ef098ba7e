/// How much of the stream may be kept, in the unit in which it was asked for.
///
/// ```swift
/// try StorageBudget("10%")     // a share of the stream's examples, as in the paper's Table 2
/// try StorageBudget("6000")    // examples
/// try StorageBudget("500MB")   // bytes, the memory's index included
/// ```
public enum StorageBudget: Hashable, Sendable, CustomStringConvertible {
  case examples(Int)
  /// A share of the stream's examples, greater than 0, at most 1.
  case fraction(Double)
  case bytes(ByteCount)

  /// - Throws: `OnePassError` (`usage`) if the text is no amount, or the amount is 0 or over 100 %.
  public init(_ text: String) throws {
    let trimmed = text.filter { $0 != " " }
    if trimmed.hasSuffix("%"), let percent = Double(trimmed.dropLast()) {
      self = .fraction(percent / 100)
    } else if let count = Int(trimmed) {
      self = .examples(count)
    } else if let bytes = ByteCount(trimmed) {
      self = .bytes(bytes)
    } else {
      throw OnePassError(
        .usage,
        "The storage \(text) is not an amount: write a share (10%), examples (6000) or bytes (500MB).")
    }
    try validate()
  }

  /// Refuses an amount that is nothing, or more than everything.
  /// - Throws: `OnePassError` (`usage`).
  public func validate() throws {
    switch self {
    case .examples(let count) where count <= 0:
      throw OnePassError(
        .usage, "A storage of \(count) examples is not possible: give at least 1, or use --method naive.")
    case .fraction(let share) where !(share > 0 && share <= 1):
      throw OnePassError(
        .usage, "A storage of \(self) is not possible: give more than 0% and at most 100% of the stream.")
    case .bytes(let count) where count.bytes <= 0:
      throw OnePassError(
        .usage, "A storage of \(self) holds nothing: give more bytes, or use --method naive.")
    default: break
    }
  }

  /// Whether the budget is in bytes, so that what it holds depends on how much room an item takes.
  public var isInBytes: Bool { if case .bytes = self { true } else { false } }

  public var description: String {
    switch self {
    case .examples(let count): "\(count)"
    case .fraction(let share): "\(ShortNumber(share * 100))%"
    case .bytes(let count): "\(count.bytes)B"
    }
  }
}

/// A number without needless digits: `10`, not `10.0`; `2.5`, not `2.5000000000000004`.
struct ShortNumber: CustomStringConvertible {
  let value: Double
  init(_ value: Double) { self.value = value }
  var description: String {
    guard value.isFinite else { return "\(value)" }
    let rounded = (value * 1e9).rounded() / 1e9
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }
}

extension StorageBudget: TextCoded {}
