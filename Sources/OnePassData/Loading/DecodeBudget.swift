import OnePassCore

/// The budget for images on their way from a source to the model: encoded ones that wait, and pixels that are being decoded.
///
/// ```swift
/// try DecodeBudget("500MB").bytes  // 500000000
/// ```
public struct DecodeBudget: Hashable, Sendable, CustomStringConvertible {
  /// The budget in bytes, at least 1 MB.
  public let bytes: Int

  /// Creates a budget of a number of bytes.
  public init(bytes: Int) { self.bytes = bytes }

  /// Parses a number of bytes with its unit.
  /// - Throws: `OnePassError` (`usage`) if the text is not one, or it is below 1 MB.
  public init(_ text: String) throws {
    guard let count = ByteCount(text) else { throw OnePassError.isNoDecodeBudget(text) }
    bytes = count.bytes
    try validate()
  }

  /// Checks the range.
  /// - Throws: `OnePassError` (`usage`) for less than 1 MB.
  public func validate() throws {
    guard bytes >= DecodeMemory.least else { throw OnePassError.isNoDecodeBudget(description) }
  }

  /// The text that ``init(_:)`` parses.
  public var description: String { "\(bytes)B" }

  /// Makes a budget that of this process; the default if it is `nil`.
  package static func use(_ budget: DecodeBudget?) {
    DecodeMemory.shared.bytes = budget?.bytes ?? DecodeMemory.standard
  }
}

extension DecodeBudget: TextCoded {}
