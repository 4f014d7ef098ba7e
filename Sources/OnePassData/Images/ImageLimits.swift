import OnePassCore

/// The largest image that is decoded, checked on the header before any memory is taken.
///
/// A few bytes can claim any size ("decompression bombs"), and a stream is not to be trusted.
public struct ImageLimits: Hashable, Sendable {
  /// The most pixels of one image: 100 million unless told otherwise (300 MB of RGB).
  public let pixels: Int
  /// The longest side in pixels: 65,500 unless told otherwise, as in libjpeg.
  public let side: Int

  /// - Precondition: both are at least 1.
  public init(pixels: Int = 100_000_000, side: Int = 65_500) {
    precondition(pixels > 0 && side > 0, "An image limit below one pixel lets nothing through.")
    self.pixels = pixels
    self.side = side
  }

  /// - Throws: `OnePassError` (`badData`) if the size is empty or beyond a limit.
  func check(width: Int, height: Int) throws {
    guard width > 0, height > 0 else {
      throw OnePassError(
        .badData, "The image claims \(width) x \(height) pixels, which is empty: remove it from the data.")
    }
    guard width <= side, height <= side, width <= pixels / height else {
      throw OnePassError(
        .badData,
        "The image claims \(width) x \(height) pixels, over the limit of \(side) a side and \(pixels) in all: "
          + "scale it down or remove it.")
    }
  }
}
