import CTurboJPEG
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
/// One per thread: it uses its memory and its libjpeg-turbo handle again, and is not Sendable.
///
/// ```swift
/// let decoder = ImageDecoder()
/// let image = try decoder.decode(example.image, channels: 3)
/// ```
public final class ImageDecoder {
  let limits: ImageLimits
  let pixels = ScratchBuffer<UInt8>(zero: 0)
  /// Made at the first JPEG, so that a stream of PNGs needs none.
  private var turboHandle: tjhandle?

  public init(limits: ImageLimits = ImageLimits()) { self.limits = limits }

  deinit { if let turboHandle { tjDestroy(turboHandle) } }

  /// The pixels of an image, copied.
  /// - Parameters:
  ///   - image: a JPEG or PNG file, or bare pixels.
  ///   - channels: 3 for RGB, 1 for grey (ITU-R 601 luma of coloured images).
  /// - Throws: `OnePassError` (`badData`) if the bytes are no image that can be read, or one beyond the limits.
  public func decode(_ image: EncodedImage, channels: Int) throws -> DecodedImage {
    try withPixels(of: image, channels: channels) { rows in
      DecodedImage(
        width: rows.width, height: rows.height, channels: channels,
        pixels: Array(UnsafeBufferPointer(start: rows.base, count: rows.width * rows.height * channels)))
    }
  }

  /// Calls `body` with the pixels of an image, which lie in this decoder or, if nothing is to do, in `image`.
  func withPixels<Result>(
    of image: EncodedImage, channels: Int, _ body: (PixelRows) throws -> Result
  ) throws -> Result {
    precondition(channels == 1 || channels == 3, "An image is decoded to 1 or 3 channels.")
    let header = try ImageHeader.read(image, limits: limits)
    let count = header.width * header.height
    switch header.format {
    case .jpeg: try decodeJPEG(image.bytes, header, channels: channels)
    case .png: try decodePNG(image.bytes, header, channels: channels)
    default:
      return try image.bytes.withUnsafeBufferPointer { source in
        guard let start = source.baseAddress else {
          throw OnePassError(.badData, "The image is empty (0 bytes): remove it from the data.")
        }
        var base = start
        if header.channels != channels {
          let converted = pixels.reserve(count * channels)
          if channels == 3 {
            ColourKernels.replicate(start, into: converted, count: count)
          } else {
            ColourKernels.luma(ofRGB: start, into: converted, count: count)
          }
          base = UnsafePointer(converted)
        }
        return try body(PixelRows(base: base, width: header.width, height: header.height, channels: channels))
      }
    }
    return try body(
      PixelRows(base: pixels.base, width: header.width, height: header.height, channels: channels))
  }

  func turbo() throws -> tjhandle {
    if let turboHandle { return turboHandle }
    guard let handle = tjInitDecompress() else {
      throw OnePassError(.engine, "libjpeg-turbo could not be started: free some memory and try again.")
    }
    turboHandle = handle
    return handle
  }
}
