/// A value that records keep as the text that people write.
public protocol TextCoded: Codable, CustomStringConvertible {
  /// - Throws: `OnePassError` (`usage`) if the text is no such value.
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
