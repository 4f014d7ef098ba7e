import CSpng
import Foundation
import OnePassCore

/// Encodes raw 8-bit pixels as a PNG file.
///
/// - Parameters:
///   - pixels: The levels, `[height, width, channels]`.
///   - width: The width in pixels.
///   - height: The height in pixels.
///   - channels: The number of channels: 1 (grey) or 3 (RGB).
///   - level: zlib's compression level, 0 (fast) to 9; libspng's default if `nil`.
/// - Throws: `OnePassError`: `badData` if the number of bytes does not match the shape, `engine` if libspng fails.
package func encodePNG(_ pixels: [UInt8], width: Int, height: Int, channels: Int, level: Int32? = nil) throws
  -> [UInt8]
{
  guard channels == 1 || channels == 3, width > 0, height > 0, pixels.count == width * height * channels,
    let columns = UInt32(exactly: width), let rows = UInt32(exactly: height)
  else {
    throw OnePassError.cannotEncodeAsPNG(
      bytes: pixels.count, width: width, height: height, channels: channels)
  }
  guard let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else {
    throw OnePassError.cannotStart("libspng")
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
    throw OnePassError.pngEncodingFailed(reason: String(cString: spng_strerror(status)))
  }
  defer { free(file) }
  return [UInt8](UnsafeRawBufferPointer(start: file, count: size))
}
