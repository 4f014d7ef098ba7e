import OnePassCore

/// The encoding of images in the replay memory.
///
/// ```swift
/// let form = StoredForm(MemoryEncoding.resized, pipeline: pipeline)
/// ```
public enum MemoryEncoding: String, CaseIterable, Codable, Sendable {
  /// The encoded bytes of the stream, as in the paper. The default.
  case original
  /// 8-bit pixels of the size from which crops are taken, the paper's baseline for encoded bytes.
  case pixels
  /// A JPEG of the size from which crops are taken, at quality 90 with chroma at full resolution.
  case resized
}

/// The encoding of images in the replay memory, with the size and the quality of resized images.
///
/// ```swift
/// let small = StoredFormat(.resized, size: 24, quality: 50)
/// ```
public struct StoredFormat: Hashable, Sendable {
  /// The encoding.
  public let encoding: MemoryEncoding
  /// The side of resized images, in pixels; the size from which crops are taken if `nil`.
  public let size: Int?
  /// The JPEG quality of resized images, 1 … 100; 90 if `nil`.
  public let quality: Int?

  /// Creates a format.
  /// - Parameters:
  ///   - encoding: The encoding.
  ///   - size: The side of resized images, in pixels; the size from which crops are taken if `nil`.
  ///   - quality: The JPEG quality of resized images, 1 … 100; 90 if `nil`.
  /// - Precondition: A quality from 1 to 100, and a size of at least 1.
  public init(_ encoding: MemoryEncoding, size: Int? = nil, quality: Int? = nil) {
    precondition(
      (1...100).contains(quality ?? 1) && (size ?? 1) >= 1,
      "A JPEG needs a quality from 1 to 100 and a size of at least 1.")
    (self.encoding, self.size, self.quality) = (encoding, size, quality)
  }
}

/// Converts an arriving image to the format of the replay memory.
///
/// A crop of stored pixels is bit-identical to the same crop of the original, because the resize rounds to 8 bits.
/// A crop of a resized JPEG has the errors of the compression. Stored images of another size than crops are taken from
/// are resized when they are replayed.
///
/// Not Sendable, because it reuses the memory of a decoder.
///
/// ```swift
/// let form = StoredForm(StoredFormat(.resized, quality: 50), pipeline: pipeline)
/// let stored = try form(example.image)
/// ```
/// Source: Hu et al. 2021, section 3.1 ("we save jpeg-encoded image bytes instead of image tensors").
public final class StoredForm {
  /// The format of the replay memory.
  public let format: StoredFormat
  private let renderer: ImageRenderer
  /// Whether the last image was stored rotated, by metadata that its new form lacks.
  private(set) var isRotated = false

  /// Creates a converter.
  /// - Parameters:
  ///   - format: The format of the replay memory.
  ///   - pipeline: The pipeline of the replayed image.
  public init(_ format: StoredFormat, pipeline: ImagePipeline) {
    self.format = format
    let side = format.size ?? pipeline.plane
    renderer = ImageRenderer(
      pipeline: ImagePipeline(
        size: side, channels: pipeline.channels, geometry: .resizeAndCrop(resize: side),
        orientation: pipeline.orientation))
  }

  /// Creates a converter with the default size and quality.
  /// - Parameters:
  ///   - encoding: The encoding.
  ///   - pipeline: The pipeline of the replayed image.
  public convenience init(_ encoding: MemoryEncoding, pipeline: ImagePipeline) {
    self.init(StoredFormat(encoding), pipeline: pipeline)
  }

  /// The encoding of the format.
  public var encoding: MemoryEncoding { format.encoding }

  /// Converts an image.
  ///
  /// For `resized` with the default size and quality, a JPEG that already has the size is kept, because encoding it again
  /// would only reduce its quality. With an explicit size or quality, the image is encoded without the headers that all
  /// stored images share. The original is kept if it takes no more bytes.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded.
  public func callAsFunction(_ image: EncodedImage) throws -> EncodedImage {
    let (size, channels) = (renderer.pipeline.size, renderer.pipeline.channels)
    isRotated = false
    switch encoding {
    case .original: return image
    case .pixels:
      return EncodedImage(
        bytes: try plane(of: image), encoding: .pixels(width: size, height: size, channels: channels))
    case .resized:
      guard format.size == nil, format.quality == nil else {
        let small = try AbbreviatedJPEG(
          side: size, quality: format.quality ?? JPEGEncoder.quality, channels: channels
        ).encode(plane(of: image))
        return image.byteCount <= small.byteCount ? image : small
      }
      let header = try ImageHeader.read(image)
      if header.format == .jpeg, header.width == size, header.height == size { return image }
      return try JPEGEncoder.encode(plane(of: image), width: size, height: size, channels: channels)
    }
  }

  /// The 8-bit pixels from which crops are taken.
  private func plane(of image: EncodedImage) throws -> [UInt8] {
    var plane = [UInt8](repeating: 0, count: renderer.pipeline.elementsPerImage)
    try plane.withUnsafeMutableBufferPointer { try renderer.render(image, .centre, into: $0) }
    isRotated = renderer.isRotated
    return plane
  }
}
