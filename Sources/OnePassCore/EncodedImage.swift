/// An image as the encoded bytes that its source delivered.
///
/// The replay memory stores these bytes rather than decoded pixels, if the source delivers encoded files
/// (Hu et al. 2021, section 3.1).
///
/// ```swift
/// let image = EncodedImage(bytes: jpeg)
/// let first = image.withUnsafeBufferPointer { $0.first }
/// ```
public struct EncodedImage: Sendable {
  /// The format of the bytes.
  public enum Encoding: Sendable, Equatable {
    /// A complete image file (JPEG, PNG, WebP, TIFF, BMP or PNM); the decoder detects the format.
    case file
    /// Raw 8-bit pixels in row-major order with interleaved channels: `[height, width, channels]`.
    case pixels(width: Int, height: Int, channels: Int)
  }

  @usableFromInline
  enum Storage: Sendable {
    case own([UInt8])
    /// Bytes that ``DecodeMemory`` counts while the image exists.
    case counted([UInt8], MemoryReservation)
    case written(WrittenBytes)
    case lent(LentBytes)
    case elsewhere(Int)
  }

  @usableFromInline let storage: Storage
  /// The format of ``bytes``.
  public let encoding: Encoding

  /// Creates an image from its encoded bytes.
  @inlinable
  public init(bytes: [UInt8], encoding: Encoding = .file) {
    storage = .own(bytes)
    self.encoding = encoding
  }

  /// Creates an image that refers to memory of another owner, without a copy.
  @inlinable
  package init(lent: LentBytes, encoding: Encoding) {
    storage = .lent(lent)
    self.encoding = encoding
  }

  /// Creates a placeholder for an image of `byteCount` bytes that is stored in another process.
  ///
  /// Its bytes must not be accessed in this process.
  package init(elsewhere byteCount: Int) {
    storage = .elsewhere(byteCount)
    encoding = .file
  }

  private init(_ storage: Storage, _ encoding: Encoding) {
    (self.storage, self.encoding) = (storage, encoding)
  }

  /// The same image, whose bytes are counted while it exists.
  package func counted(by reservation: MemoryReservation) -> EncodedImage {
    EncodedImage(.counted(bytes, reservation), encoding)
  }

  /// The same image, whose bytes are in a file.
  package func written(as bytes: WrittenBytes) -> EncodedImage { EncodedImage(.written(bytes), encoding) }

  /// Whether the bytes are in this process and are not counted.
  package var isUncounted: Bool { if case .own = storage { true } else { false } }

  /// The same image in memory that is not counted, for a store that counts it.
  package var uncounted: EncodedImage {
    switch storage {
    case .counted, .written: EncodedImage(bytes: bytes, encoding: encoding)
    case .own, .lent, .elsewhere: self
    }
  }

  /// Whether the bytes are in this process; `false` only in a memory that several processes share.
  package var isHere: Bool {
    if case .elsewhere = storage { false } else { true }
  }

  /// Whether this process holds the bytes for this image alone, and not for a replay memory that has lent them.
  package var hasOwnBytes: Bool {
    switch storage {
    case .own, .counted, .written: true
    case .lent, .elsewhere: false
    }
  }

  /// The size of the encoded image in bytes.
  @inlinable
  public var byteCount: Int {
    switch storage {
    case .own(let bytes), .counted(let bytes, _): bytes.count
    case .written(let bytes): bytes.count
    case .lent(let bytes): bytes.count
    case .elsewhere(let count): count
    }
  }

  /// The encoded bytes as an array.
  /// - Complexity: O(1), or O(``byteCount``) for an image drawn from a replay memory, which is copied.
  ///   ``withUnsafeBufferPointer(_:)`` never copies.
  public var bytes: [UInt8] {
    switch storage {
    case .own(let bytes), .counted(let bytes, _): bytes
    case .written, .lent, .elsewhere: withUnsafeBufferPointer { Array($0) }
    }
  }

  /// Calls `body` with the bytes in place; the pointer is valid until `body` returns.
  public func withUnsafeBufferPointer<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    switch storage {
    case .own(let bytes), .counted(let bytes, _): try bytes.withUnsafeBufferPointer(body)
    case .written(let bytes): try bytes.withBytes(body)
    case .lent(let bytes):
      try withExtendedLifetime(bytes.owner) {
        try body(UnsafeBufferPointer(start: bytes.start, count: bytes.count))
      }
    case .elsewhere: preconditionFailure("The image is stored in another process.")
    }
  }
}

extension EncodedImage: Equatable {
  public static func == (a: EncodedImage, b: EncodedImage) -> Bool {
    a.encoding == b.encoding
      && a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { a.elementsEqual($0) } }
  }
}

/// Bytes that neither change nor move while their owner is alive.
///
/// `@unchecked Sendable` because the bytes are not written during that time, and any thread can release the owner.
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
