/// The maximum size of the replay memory: a share of the stream, a number of examples, or a number of bytes.
///
/// ```swift
/// try StorageBudget("10%")     // a share of the stream's examples (Hu et al. 2021, Table 2)
/// try StorageBudget("6000")    // examples
/// try StorageBudget("500MB")   // bytes, including the memory's index
/// ```
public enum StorageBudget: Hashable, Sendable, CustomStringConvertible {
  /// A number of examples, 1 or more.
  case examples(Int)
  /// A share of the stream's examples, above 0 and at most 1.
  case fraction(Double)
  /// A number of bytes including the memory's index, 1 or more.
  case bytes(ByteCount)

  /// Parses a budget such as `10%`, `6000` or `500MB`.
  /// - Throws: `OnePassError` (`usage`) if the text is not a budget, or the budget is 0 or over 100 %.
  public init(_ text: String) throws {
    let trimmed = text.filter { $0 != " " }
    if trimmed.hasSuffix("%"), let percent = Double(trimmed.dropLast()) {
      self = .fraction(percent / 100)
    } else if let count = Int(trimmed) {
      self = .examples(count)
    } else if let bytes = ByteCount(trimmed) {
      self = .bytes(bytes)
    } else {
      throw OnePassError.unknownStorage(text)
    }
    try validate()
  }

  /// Checks that the budget is above 0 and, as a share, at most 100 %.
  /// - Throws: `OnePassError` (`usage`).
  public func validate() throws {
    switch self {
    case .examples(let count) where count <= 0:
      throw OnePassError.storageWithoutExamples(count)
    case .fraction(let share) where !(share > 0 && share <= 1):
      throw OnePassError.storageShareOutOfRange(self)
    case .bytes(let count) where count.bytes <= 0:
      throw OnePassError.storageWithoutBytes(self)
    default: break
    }
  }

  /// Whether the budget is in bytes, so that its capacity in examples depends on their sizes.
  public var isInBytes: Bool { if case .bytes = self { true } else { false } }

  /// The budget in the form that ``init(_:)`` parses.
  public var description: String {
    switch self {
    case .examples(let count): "\(count)"
    case .fraction(let share): "\(ShortNumber(share * 100))%"
    case .bytes(let count): "\(count.bytes)B"
    }
  }
}

/// A number printed without unnecessary digits: `10`, not `10.0`; `2.5`, not `2.5000000000000004`.
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
