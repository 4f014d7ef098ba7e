import Foundation
import OnePassCore

/// The largest message that is accepted, in bytes (`--message-limit`).
///
/// ```swift
/// try MessageLimit("64MB").bytes  // 64000000
/// ```
public struct MessageLimit: Hashable, Sendable, TextCoded {
  /// The limit in bytes, at least 1.
  public let bytes: Int

  /// Parses a number of bytes with its unit.
  /// - Throws: `OnePassError` (`usage`) if the text is not one, or it is 0.
  public init(_ text: String) throws {
    guard let count = ByteCount(text), count.bytes > 0 else { throw OnePassError.isNoMessageLimit(text) }
    bytes = count.bytes
  }

  /// The text that ``init(_:)`` parses.
  public var description: String { "\(bytes)B" }
}

/// A time at which a stream ends (`--until`).
///
/// ```swift
/// print(try StreamEnd("2026-12-01T00:00Z").date)
/// ```
public struct StreamEnd: Hashable, Sendable, TextCoded {
  /// The time.
  public let date: Date
  private let text: String

  /// Parses `2026-12-01`, `2026-12-01T18:30` or `2026-12-01T18:30:00`, in the local time zone, or with `Z` in UTC.
  /// - Throws: `OnePassError` (`usage`) for any other text.
  public init(_ text: String) throws {
    let isUTC = text.hasSuffix("Z")
    let local = isUTC ? String(text.dropLast()) : text
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = isUTC ? TimeZone(secondsFromGMT: 0) : .current
    formatter.isLenient = false
    for format in ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss"] {
      formatter.dateFormat = format
      guard let date = formatter.date(from: local) else { continue }
      (self.date, self.text) = (date, text)
      return
    }
    throw OnePassError.isNoStreamEnd(text)
  }

  /// The text that ``init(_:)`` parses.
  public var description: String { text }
}
