import CImages
import OnePassCore

extension ImageDecoder {
  /// Fills `pixels` with the whole image, of an animation the first frame. Alpha is dropped, nothing is blended.
  /// - Returns: the bytes of a pixel.
  func decodeWebP(
    _ source: UnsafeBufferPointer<UInt8>, width: Int, height: Int, channels: Int, isPadded: Bool
  ) throws -> Int {
    guard let start = source.baseAddress else { throw OnePassError.truncatedImage(.webp, after: 0) }
    let step = channels == 3 && isPadded ? 4 : 3
    let target = pixels.reserve(width * height * step)
    try withMessage(of: .webp, source.count) { message in
      cimages_decode_webp(start, source.count, UInt32(width), UInt32(height), Int32(step), target, message)
    }
    if channels == 1 {
      ColourKernels.luma(ofRGB: target, into: target, count: width * height)
      return 1
    }
    return step
  }

  /// Fills `pixels` with the whole image, as stored, in the channels that the file has.
  func decodeTIFF(
    _ source: UnsafeBufferPointer<UInt8>, width: Int, height: Int, native: Int, wantsLuma: Bool
  ) throws {
    guard let start = source.baseAddress else { throw OnePassError.truncatedImage(.tiff, after: 0) }
    let target = pixels.reserve(width * height * native)
    let wanted = CImagesTIFF(
      width: UInt32(width), height: UInt32(height), channels: Int32(native), wants_luma: wantsLuma ? 1 : 0,
      // Four bytes a pixel, of which libtiff makes whole strips, and no less than small files need.
      most_bytes: min(max(64 << 20, 4 * limits.pixels), max(1 << 20, memory.decodingShare)))
    try withMessage(of: .tiff, source.count) { message in
      cimages_decode_tiff(start, source.count, wanted, target, message)
    }
  }

  /// Calls C that writes what is broken into its argument, and throws that.
  private func withMessage(
    of format: ImageFormat, _ count: Int, _ body: (UnsafeMutablePointer<CChar>) -> CImagesStatus
  ) throws {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CIMAGES_MESSAGE)) { buffer in
      guard let message = buffer.baseAddress else { return }
      buffer.initialize(repeating: 0)
      switch body(message) {
      case CIMAGES_OK: return
      case CIMAGES_ENDS_EARLY: throw OnePassError.truncatedImage(format, after: count)
      default: throw OnePassError.corruptImage(format, reason: String(cString: message))
      }
    }
  }
}
