import OnePassCore

/// How much a shuffle buffer holds, in the unit in which it was asked for.
///
/// ```swift
/// try ShuffleBufferSize("10000")   // examples
/// try ShuffleBufferSize("500MB")   // bytes, 100 or so for each example's place included
/// ```
public enum ShuffleBufferSize: Hashable, Sendable, CustomStringConvertible {
  case examples(Int)
  /// It is full with the example with which it reaches this.
  case bytes(ByteCount)

  /// - Throws: `OnePassError` (`usage`) if the text is no amount, or the amount cannot be.
  public init(_ text: String) throws {
    if let count = Int(text) {
      self = .examples(count)
    } else if let bytes = ByteCount(text) {
      self = .bytes(bytes)
    } else {
      throw OnePassError(
        .usage, "The shuffle buffer \(text) is not an amount: write examples (10000) or bytes (500MB).")
    }
    try validate()
  }

  /// - Throws: `OnePassError` (`usage`) for an amount that shuffles nothing.
  public func validate() throws {
    let isPossible =
      switch self {
      case .examples(let count): (2...(1 << 32)).contains(count)
      case .bytes(let count): count.bytes > 0
      }
    guard isPossible else {
      throw OnePassError(.usage, "--shuffle-buffer \(self) is not possible: give at least 2 examples.")
    }
  }

  public var description: String {
    switch self {
    case .examples(let count): "\(count)"
    case .bytes(let count): "\(count.bytes)B"
    }
  }
}

extension ShuffleBufferSize: TextCoded {}
