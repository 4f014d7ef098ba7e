import OnePassCore

/// How long an example may stay in the memory.
///
/// ```swift
/// try TimeToLive("50000")   // until so many examples have come after it
/// try TimeToLive("30d")     // until so much time has passed: s, m, h or d
/// ```
public enum TimeToLive: Hashable, Sendable, CustomStringConvertible {
  case examples(Int)
  case seconds(Double)

  private static let units: [(suffix: String, seconds: Double)] = [
    ("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400),
  ]

  /// - Throws: `OnePassError` (`usage`) if the text is neither.
  public init(_ text: String) throws {
    if let count = Int(text), count > 0 {
      self = .examples(count)
    } else if let unit = Self.units.first(where: { text.hasSuffix($0.suffix) }),
      let value = Double(text.dropLast()), value > 0, value.isFinite
    {
      self = .seconds(value * unit.seconds)
    } else {
      throw OnePassError(
        .usage, "--time-to-live \(text) is not possible: give examples (50000) or a time (90s, 10m, 2h, 30d)."
      )
    }
  }

  public var description: String {
    switch self {
    case .examples(let count): "\(count)"
    case .seconds(let seconds): "\(seconds)s"
    }
  }
}

extension TimeToLive: TextCoded {}
