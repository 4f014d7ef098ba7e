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

/// Turns an image that arrived into the form in which the replay memory keeps it.
///
/// A crop of the pixels equals the same crop of the original to the bit, because the resize rounds to 8 bits.
/// A crop of the resized JPEG differs from it as any JPEG differs from what was encoded.
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
        size: plane, channels: pipeline.channels, geometry: .resizeAndCrop(resize: plane)))
  }

  /// The image in this form.
  ///
  /// Resized, a JPEG that has the size already stays as it is: encoding it again would only lose quality.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded.
  public func callAsFunction(_ image: EncodedImage) throws -> EncodedImage {
    let (size, channels) = (renderer.pipeline.size, renderer.pipeline.channels)
    switch encoding {
    case .original: return image
    case .pixels:
      return EncodedImage(
        bytes: try plane(of: image), encoding: .pixels(width: size, height: size, channels: channels))
    case .resized:
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
