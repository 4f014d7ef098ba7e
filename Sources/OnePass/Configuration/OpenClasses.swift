import OnePassCore

/// Classes that are found in the stream while the model trains, with a limit of their number.
///
/// A class gets an output of the last layer when an image of it is trained for the first time.
///
/// ```swift
/// try OpenClasses("open")       // at most 1,000 classes
/// try OpenClasses("open:50")    // at most 50 classes
/// ```
public struct OpenClasses: Hashable, Sendable, CustomStringConvertible {
  /// The maximum number of classes, 1 to 1,000,000.
  public let limit: Int

  /// The limit without a number.
  public static let standardLimit = 1_000

  /// Parses `open` or `open:LIMIT`.
  /// - Throws: `OnePassError` (`usage`) for other text, or a limit outside its range.
  public init(_ text: String) throws {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0] == "open" else { throw OnePassError.isNoOpenClasses(text) }
    limit = parts.count == 1 ? Self.standardLimit : Int(parts[1]) ?? 0
    try validate()
  }

  /// Whether a text is meant as one, and not as a number or the path of a file.
  package static func isMeant(by text: String) -> Bool { text == "open" || text.hasPrefix("open:") }

  /// Checks the range.
  /// - Throws: `OnePassError` (`usage`).
  public func validate() throws {
    guard (1...1_000_000).contains(limit) else { throw OnePassError.openClassesOutOfRange }
  }

  /// The text that ``init(_:)`` parses.
  public var description: String { "open:\(limit)" }
}

extension OpenClasses: TextCoded {}
extension OpenClasses: SelfChecking {}
