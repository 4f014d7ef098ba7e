import OnePassCore

/// The capacity of a shuffle buffer, in examples or bytes.
///
/// ```swift
/// try ShuffleBufferSize("10000")   // examples
/// try ShuffleBufferSize("500MB")   // bytes, including about 100 per example for its entry
/// ```
public enum ShuffleBufferSize: Hashable, Sendable, CustomStringConvertible {
  /// A number of examples, 2 to 2³².
  case examples(Int)
  /// A number of bytes, which the buffered examples never exceed.
  case bytes(ByteCount)

  /// Parses a number of examples or of bytes.
  /// - Throws: `OnePassError` (`usage`) if the text is neither, or out of range.
  public init(_ text: String) throws {
    if let count = Int(text) {
      self = .examples(count)
    } else if let bytes = ByteCount(text) {
      self = .bytes(bytes)
    } else {
      throw OnePassError.isNoShuffleBufferSize(text)
    }
    try validate()
  }

  /// Checks the range.
  /// - Throws: `OnePassError` (`usage`) for fewer than 2 examples, more than 2³², or no bytes.
  public func validate() throws {
    let isPossible =
      switch self {
      case .examples(let count): (2...(1 << 32)).contains(count)
      case .bytes(let count): count.bytes > 0
      }
    guard isPossible else {
      throw OnePassError.shuffleBufferIsOutOfRange(self)
    }
  }

  /// The text that ``init(_:)`` parses.
  public var description: String {
    switch self {
    case .examples(let count): "\(count)"
    case .bytes(let count): "\(count.bytes)B"
    }
  }
}

extension ShuffleBufferSize: TextCoded {}
