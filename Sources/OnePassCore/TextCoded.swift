/// A value that is stored in records as the same text that users write.
///
/// ```swift
/// let data = try JSONEncoder().encode([StorageBudget("10%")])  // ["10%"]
/// ```
public protocol TextCoded: Codable, CustomStringConvertible {
  /// Parses a value from the text that `description` returns.
  /// - Throws: `OnePassError` (`usage`) if the text is invalid.
  init(_ text: String) throws
}

extension TextCoded {
  public init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
