import OnePassCore

/// The largest image that is decoded, checked on the header before memory is allocated.
///
/// A stream is not trusted: a file of a few bytes can state any size ("decompression bomb").
///
/// ```swift
/// let decoder = ImageDecoder(limits: ImageLimits(pixels: 20_000_000))
/// ```
public struct ImageLimits: Hashable, Sendable {
  /// The maximum number of pixels of an image.
  public let pixels: Int
  /// The maximum width and height in pixels.
  public let side: Int

  /// Creates limits.
  /// - Parameters:
  ///   - pixels: The maximum number of pixels; by default 100 million (300 MB of RGB).
  ///   - side: The maximum width and height in pixels; by default 65,500, as in libjpeg.
  /// - Precondition: Both are at least 1.
  public init(pixels: Int = 100_000_000, side: Int = 65_500) {
    precondition(pixels > 0 && side > 0, "Image limits must be at least one pixel.")
    self.pixels = pixels
    self.side = side
  }

  /// The largest image that a file of any length may have, in pixels: it is decoded in less than a second.
  static let pixelsOfAnyFile = 25_000_000
  /// The most pixels for each byte of the file of a larger image. A tiny file must not cost seconds.
  static let mostPixelsPerByte = 512

  /// - Throws: `OnePassError` (`badData`) if the size is empty or beyond a limit.
  func check(width: Int, height: Int) throws {
    guard width > 0, height > 0 else {
      throw OnePassError.imageWithoutPixels(width: width, height: height)
    }
    guard width <= side, height <= side, width <= pixels / height else {
      throw OnePassError.imageExceedsLimits(width: width, height: height, self)
    }
  }
}
