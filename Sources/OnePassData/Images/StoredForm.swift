import OnePassCore

/// In which form the replay memory keeps an image.
public enum MemoryEncoding: String, CaseIterable, Codable, Sendable {
  /// The encoded bytes as they arrived, as in the paper. The default.
  case original
  /// 8-bit pixels of the size from which crops are taken: what the paper's encoded bytes are compared with.
  case pixels
  /// A JPEG of the size from which crops are taken: encoded once more, at quality 90 with whole chroma.
  case resized
}

/// In which form images are kept, with the size and the quality of those that are resized.
///
/// ```swift
/// let small = StoredFormat(.resized, size: 24, quality: 50)
/// ```
public struct StoredFormat: Hashable, Sendable {
  public let encoding: MemoryEncoding
  /// The side of resized images, in pixels; the size from which crops are taken if `nil`.
  public let size: Int?
  /// The JPEG quality of resized images, 1 … 100; 90 if `nil`.
  public let quality: Int?

  /// - Parameters:
  ///   - encoding: The form.
  ///   - size: The side of resized images, in pixels; the size from which crops are taken if `nil`.
  ///   - quality: The JPEG quality of resized images, 1 … 100; 90 if `nil`.
  /// - Precondition: a quality from 1 to 100, and a size of at least 1.
  public init(_ encoding: MemoryEncoding, size: Int? = nil, quality: Int? = nil) {
    precondition(
      (1...100).contains(quality ?? 1) && (size ?? 1) >= 1, "A JPEG has a quality from 1 to 100, and a size.")
    (self.encoding, self.size, self.quality) = (encoding, size, quality)
  }
}

/// Turns an image that arrived into the form in which the replay memory keeps it.
///
/// A crop of the pixels equals the same crop of the original to the bit, because the resize rounds to 8 bits.
/// A crop of the resized JPEG differs from it as any JPEG differs from what was encoded. One of another size than crops are
/// taken from is resized to that when it is replayed, as any image is.
/// Not Sendable: it keeps a decoder with its memory.
///
/// Source: Hu et al. 2021, section 3.1 ("we save jpeg-encoded image bytes instead of image tensors").
public final class StoredForm {
  public let format: StoredFormat
  private let renderer: ImageRenderer

  /// - Parameters:
  ///   - format: the form.
  ///   - pipeline: what will be done to the image when it is replayed.
  public init(_ format: StoredFormat, pipeline: ImagePipeline) {
    self.format = format
    let side = format.size ?? pipeline.plane
    renderer = ImageRenderer(
      pipeline: ImagePipeline(
        size: side, channels: pipeline.channels, geometry: .resizeAndCrop(resize: side)))
  }

  /// - Parameters:
  ///   - encoding: the form, with the usual size and quality.
  ///   - pipeline: what will be done to the image when it is replayed.
  public convenience init(_ encoding: MemoryEncoding, pipeline: ImagePipeline) {
    self.init(StoredFormat(encoding), pipeline: pipeline)
  }

  /// The form, whatever the size and the quality.
  public var encoding: MemoryEncoding { format.encoding }

  /// The image in this form.
  ///
  /// Resized, a JPEG that has the size already stays as it is: encoding it again would only lose quality. Where a size or a
  /// quality is asked for, it is bytes that are to be saved: then the image is encoded without what all have in common, and
  /// stays as it is, whatever it is, if it takes no more bytes than that.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded.
  public func callAsFunction(_ image: EncodedImage) throws -> EncodedImage {
    let (size, channels) = (renderer.pipeline.size, renderer.pipeline.channels)
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
    return plane
  }
}
