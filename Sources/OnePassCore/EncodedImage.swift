/// An image in the bytes in which its source delivered it.
///
/// The replay memory keeps these bytes, never decoded pixels, where the source has encoded bytes
/// (Hu et al. 2021, section 3.1).
///
/// ```swift
/// let image = EncodedImage(bytes: jpeg)
/// let first = image.withUnsafeBufferPointer { $0.first }
/// ```
public struct EncodedImage: Sendable {
  public enum Encoding: Sendable, Equatable {
    /// A whole JPEG or PNG file; which one is found from the bytes.
    case file
    /// Bare 8-bit pixels, row by row, channels interleaved: `[height, width, channels]`.
    case pixels(width: Int, height: Int, channels: Int)
  }

  @usableFromInline
  enum Storage: Sendable {
    case own([UInt8])
    case lent(LentBytes)
    case elsewhere(Int)
  }

  @usableFromInline let storage: Storage
  public let encoding: Encoding

  @inlinable
  public init(bytes: [UInt8], encoding: Encoding = .file) {
    storage = .own(bytes)
    self.encoding = encoding
  }

  /// An image that lies where somebody else keeps it, and is not copied.
  @inlinable
  package init(lent: LentBytes, encoding: Encoding) {
    storage = .lent(lent)
    self.encoding = encoding
  }

  /// An image of so many bytes that another process has. Nobody here may ask for the bytes.
  package init(elsewhere byteCount: Int) {
    storage = .elsewhere(byteCount)
    encoding = .file
  }

  /// Whether the bytes are here, as they are but for a memory that several processes share.
  package var isHere: Bool {
    if case .elsewhere = storage { false } else { true }
  }

  @inlinable
  public var byteCount: Int {
    switch storage {
    case .own(let bytes): bytes.count
    case .lent(let bytes): bytes.count
    case .elsewhere(let count): count
    }
  }

  /// The bytes as an array; a copy where the replay memory lent them.
  /// - Complexity: O(1), or O(bytes) for what was drawn from a memory; ``withUnsafeBufferPointer(_:)`` never copies.
  public var bytes: [UInt8] {
    switch storage {
    case .own(let bytes): bytes
    case .lent, .elsewhere: withUnsafeBufferPointer { Array($0) }
    }
  }

  /// Calls `body` with the bytes, where they lie; they are valid until it returns.
  public func withUnsafeBufferPointer<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    switch storage {
    case .own(let bytes): try bytes.withUnsafeBufferPointer(body)
    case .lent(let bytes):
      try withExtendedLifetime(bytes.owner) {
        try body(UnsafeBufferPointer(start: bytes.start, count: bytes.count))
      }
    case .elsewhere: preconditionFailure("The image lies in another process.")
    }
  }
}

extension EncodedImage: Equatable {
  public static func == (a: EncodedImage, b: EncodedImage) -> Bool {
    a.encoding == b.encoding
      && a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { a.elementsEqual($0) } }
  }
}

/// Bytes that stay as they are, and where they are, while their owner lives.
///
/// Sendable because nobody writes them in that time, and the owner may be let go by any thread.
@usableFromInline
package struct LentBytes: @unchecked Sendable {
  @usableFromInline let owner: any AnyObject & Sendable
  @usableFromInline let start: UnsafePointer<UInt8>
  @usableFromInline let count: Int

  @inlinable
  package init(owner: any AnyObject & Sendable, start: UnsafePointer<UInt8>, count: Int) {
    self.owner = owner
    self.start = start
    self.count = count
  }
}
