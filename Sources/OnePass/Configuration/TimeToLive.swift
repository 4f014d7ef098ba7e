import OnePassCore

/// The maximum age of an example in the memory.
///
/// ```swift
/// try TimeToLive("50000")   // until 50,000 later examples have arrived
/// try TimeToLive("30d")     // for 30 days; s, m and h work too
/// ```
public enum TimeToLive: Hashable, Sendable, CustomStringConvertible {
  /// A number of later examples, at least 1.
  case examples(Int)
  /// A time in seconds, above 0.
  case seconds(Double)

  /// Parses a number of examples, as `50000`, or a time with a unit, as `90s`, `10m`, `2h` or `30d`.
  /// - Throws: `OnePassError` (`usage`) if the text is neither.
  public init(_ text: String) throws {
    if let count = Int(text), count > 0 {
      self = .examples(count)
    } else if let seconds = TimeSpan.seconds(text, allowsDays: true) {
      self = .seconds(seconds)
    } else {
      throw OnePassError.valueOutOfRange(
        "--time-to-live",
        mustBe: "a number of examples, such as 50000, or a time, such as 90s, 10m, 2h or 30d", got: text)
    }
  }

  /// The text that ``init(_:)`` parses.
  public var description: String {
    switch self {
    case .examples(let count): "\(count)"
    case .seconds(let seconds): "\(seconds)s"
    }
  }
}

extension TimeToLive: TextCoded {}
