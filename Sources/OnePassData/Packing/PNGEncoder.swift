import CSpng
import Foundation
import OnePassCore

/// Bare 8-bit pixels as a PNG file.
///
/// - Parameters:
///   - pixels: `[height, width, channels]`, row by row.
///   - channels: 1 (grey) or 3 (RGB).
///   - level: zlib's, 0 (fast) to 9; its own choice if `nil`.
/// - Throws: `OnePassError` (`badData`) if the number of bytes is not that of the shape.
package func encodePNG(_ pixels: [UInt8], width: Int, height: Int, channels: Int, level: Int32? = nil) throws
  -> [UInt8]
{
  guard channels == 1 || channels == 3, width > 0, height > 0, pixels.count == width * height * channels,
    let columns = UInt32(exactly: width), let rows = UInt32(exactly: height)
  else {
    throw OnePassError(
      .badData,
      "An image of \(width) x \(height) x \(channels) with \(pixels.count) bytes cannot be written as PNG. "
        + "Use grey or RGB images of 8 bits.")
  }
  guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else {
    throw OnePassError(.engine, "libspng could not be started; the machine may be out of memory.")
  }
  defer { spng_ctx_free(context) }
  var header = spng_ihdr()
  header.width = columns
  header.height = rows
  header.bit_depth = 8
  header.color_type = UInt8((channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR).rawValue)
  spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1)
  spng_set_ihdr(context, &header)
  if let level { spng_set_option(context, SPNG_IMG_COMPRESSION_LEVEL, level) }
  var status = pixels.withUnsafeBytes {
    spng_encode_image(
      context, $0.baseAddress, $0.count, Int32(SPNG_FMT_PNG.rawValue), Int32(SPNG_ENCODE_FINALIZE.rawValue))
  }
  var size = 0
  guard status == 0, let file = spng_get_png_buffer(context, &size, &status) else {
    throw OnePassError(
      .engine, "libspng could not write an image: \(String(cString: spng_strerror(status))).")
  }
  defer { free(file) }
  return [UInt8](UnsafeRawBufferPointer(start: file, count: size))
}
