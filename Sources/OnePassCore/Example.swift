/// One labelled image of the stream, as it arrived.
public struct Example: Sendable {
  /// The position in the stream, counted from 0; no two examples of a pass share one.
  public let id: Int
  /// The class, 0 ..< number of classes.
  public let label: Int
  public let image: EncodedImage
  /// Whom it is about, where the source was asked for that; see ``SubjectKey``.
  public let subject: String?

  public init(id: Int, label: Int, image: EncodedImage, subject: String? = nil) {
    self.id = id
    self.label = label
    self.image = image
    self.subject = subject
  }
}

/// An image in the bytes in which its source delivered it.
///
/// The replay memory keeps these bytes, never decoded pixels, where the source has encoded bytes
/// (Hu et al. 2021, section 3.1).
public struct EncodedImage: Sendable, Equatable {
  public enum Encoding: Sendable, Equatable {
    /// A whole JPEG or PNG file; which one is found from the bytes.
    case file
    /// Bare 8-bit pixels, row by row, channels interleaved: `[height, width, channels]`.
    case pixels(width: Int, height: Int, channels: Int)
  }

  public let bytes: [UInt8]
  public let encoding: Encoding

  public init(bytes: [UInt8], encoding: Encoding = .file) {
    self.bytes = bytes
    self.encoding = encoding
  }
}
