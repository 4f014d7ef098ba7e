import CImages
import OnePassCore

/// Pixels of one image: 8 bits, rows without gaps, channels interleaved, `[height, width, channels]`.
public struct DecodedImage: Equatable, Sendable {
  public let width: Int
  public let height: Int
  /// 1 or 3.
  public let channels: Int
  public let pixels: [UInt8]
}

/// Decodes JPEG, PNG and bare pixels to RGB or grey, equal to Pillow's `convert("RGB")` and `convert("L")`.
///
/// JPEG goes through libjpeg-turbo with the exact integer DCT and smooth chroma upsampling (Pillow's defaults),
/// PNG through libspng. Exif orientations and PNG transparency are ignored, as torchvision's loader ignores them.
/// A JPEG that ends early is broken, as in Pillow; libjpeg's other warnings are accepted.
///
/// Deviation: of 16-bit grey PNGs the high byte is kept. Pillow clips every value above 255 to white.
///
/// One per thread: it uses its memory and its libjpeg-turbo decoder again, and is not Sendable.
///
/// ```swift
/// let decoder = ImageDecoder()
/// let image = try decoder.decode(example.image, channels: 3)
/// ```
public final class ImageDecoder {
  let limits: ImageLimits
  let pixels = ScratchBuffer<UInt8>(zero: 0)
  /// A file that was made whole again, and the headers for that, by side, quality and colours.
  private let file = ScratchBuffer<UInt8>(zero: 0)
  private var fileHeaders: [AbbreviatedJPEG: [UInt8]] = [:]
  /// Made at the first JPEG, so that a stream of PNGs needs none.
  private(set) var jpeg: OpaquePointer?

  public init(limits: ImageLimits = ImageLimits()) { self.limits = limits }

  deinit { if let jpeg { cimages_decoder_free(jpeg) } }

  /// The pixels of an image, copied.
  /// - Parameters:
  ///   - image: a JPEG or PNG file, or bare pixels.
  ///   - channels: 3 for RGB, 1 for grey (ITU-R 601 luma of coloured images).
  /// - Throws: `OnePassError` (`badData`) if the bytes are no image that can be read, or one beyond the limits.
  public func decode(_ image: EncodedImage, channels: Int) throws -> DecodedImage {
    let header = try ImageHeader.read(image, limits: limits)
    let pixels = try [UInt8](unsafeUninitializedCapacity: header.width * header.height * channels) {
      all, count in
      try forEachStrip(of: image, header, channels: channels, region: PixelRegion(header)) { strip in
        for row in strip.rows {
          let pixels = UnsafeBufferPointer(start: strip.row(row), count: header.width * channels)
          count = all[count...].initialize(fromContentsOf: pixels)
        }
      }
    }
    return DecodedImage(width: header.width, height: header.height, channels: channels, pixels: pixels)
  }

  /// Calls `body` with the pixels of a region from top to bottom, in strips of rows.
  ///
  /// Of a JPEG no more is decoded than the region needs, and damage behind its last row is not seen; that the
  /// file ends early is. When this throws, `body` may have been called.
  /// - Parameter isPadded: whether a pixel of three channels may have a fourth byte, which saves time.
  func forEachStrip(
    of image: EncodedImage, _ header: ImageHeader, channels: Int, isPadded: Bool = false, region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    precondition(channels == 1 || channels == 3, "An image is decoded to 1 or 3 channels.")
    let count = header.width * header.height
    func strip(_ base: UnsafePointer<UInt8>) -> PixelStrip {
      let stride = header.width * channels
      let first = region.rows.lowerBound * stride + region.columns.lowerBound * channels
      return PixelStrip(base: base + first, rows: region.rows, stride: stride, step: channels)
    }
    switch header.format {
    case .jpeg:
      try image.withUnsafeBufferPointer { bytes in
        let file = header.isAbbreviated ? try wholeFile(of: bytes) : bytes
        try decodeJPEG(file, header, channels: channels, isPadded: isPadded, region: region, body)
      }
    case .png:
      try image.withUnsafeBufferPointer { try decodePNG($0, header, channels: channels) }
      try body(strip(pixels.base))
    default:
      try image.withUnsafeBufferPointer { source in
        guard let start = source.baseAddress else {
          throw OnePassError(.badData, "The image is empty (0 bytes): remove it from the data.")
        }
        guard header.channels != channels else { return try body(strip(start)) }
        let converted = pixels.reserve(count * channels)
        if channels == 3 {
          ColourKernels.replicate(start, into: converted, count: count)
        } else {
          ColourKernels.luma(ofRGB: start, into: converted, count: count)
        }
        try body(strip(converted))
      }
    }
  }

  private func wholeFile(of bytes: UnsafeBufferPointer<UInt8>) throws -> UnsafeBufferPointer<UInt8> {
    guard let image = AbbreviatedJPEG(bytes) else { return bytes }
    // A memory has one kind; a stream that is out for harm might have all there are.
    if fileHeaders.count > 16 { fileHeaders = [:] }
    let header = try fileHeaders[image] ?? image.fileHeader()
    fileHeaders[image] = header
    return image.restore(bytes, header: header, into: file)
  }

  func jpegDecoder() throws -> OpaquePointer {
    if let jpeg { return jpeg }
    guard let made = cimages_decoder_make() else {
      throw OnePassError(.engine, "libjpeg-turbo could not be started: free some memory and try again.")
    }
    jpeg = made
    return made
  }
}
