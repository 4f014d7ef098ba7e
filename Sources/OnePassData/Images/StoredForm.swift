import OnePassCore

/// In which form the replay memory keeps an image.
public enum MemoryEncoding: String, CaseIterable, Codable, Sendable {
  /// The encoded bytes as they arrived, as in the paper. The default.
  case original
  /// 8-bit pixels of the size from which crops are taken: what the paper's encoded bytes are compared with.
  case pixels
}

/// Turns an image that arrived into the form in which the replay memory keeps it.
///
/// A crop of the pixels equals the same crop of the original to the bit, because the resize rounds to 8 bits.
/// Not Sendable: it keeps a decoder with its memory.
///
/// Source: Hu et al. 2021, section 3.1 ("we save jpeg-encoded image bytes instead of image tensors").
public final class StoredForm {
  public let encoding: MemoryEncoding
  private let renderer: ImageRenderer

  /// - Parameters:
  ///   - encoding: the form.
  ///   - pipeline: what will be done to the image when it is replayed.
  public init(_ encoding: MemoryEncoding, pipeline: ImagePipeline) {
    self.encoding = encoding
    let plane = CropWindow(pipeline, .centre).plane
    renderer = ImageRenderer(
      pipeline: ImagePipeline(
        size: plane, channels: pipeline.channels, geometry: .resizeAndCrop(resize: plane),
        normalisation: .levels(channels: pipeline.channels)))
  }

  /// The image in this form.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded.
  public func callAsFunction(_ image: EncodedImage) throws -> EncodedImage {
    guard encoding == .pixels else { return image }
    let (size, channels) = (renderer.pipeline.size, renderer.pipeline.channels)
    let elements = renderer.pipeline.elementsPerImage
    let levels = try [Float](unsafeUninitializedCapacity: elements) { slot, count in
      try renderer.render(image, .centre, into: UnsafeMutableBufferPointer(rebasing: slot[..<elements]))
      count = elements
    }
    return EncodedImage(
      bytes: levels.map { UInt8($0.rounded()) },
      encoding: .pixels(width: size, height: size, channels: channels))
  }
}
