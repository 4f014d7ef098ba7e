import CSpng
import OnePassCore

extension ImageDecoder {
  /// Decodes the whole image into `pixels`: palettes resolved, the high 8 of 16 bits kept, alpha dropped.
  func decodePNG(_ source: UnsafeBufferPointer<UInt8>, _ header: ImageHeader, channels: Int) throws {
    guard let context = spng_ctx_new(0) else {
      throw OnePassError.cannotStart("libspng")
    }
    defer { spng_ctx_free(context) }
    let count = header.stored.width * header.stored.height
    let target = pixels.reserve(count * 3)
    var status = spng_set_image_limits(context, UInt32(limits.side), UInt32(limits.side))
    // Text and colour profiles can be compression bombs too. No valid file needs 64 MiB for them.
    if status == 0 { status = spng_set_chunk_limits(context, 64 << 20, 64 << 20) }
    if status == 0 { status = spng_set_png_buffer(context, source.baseAddress, source.count) }
    if status == 0 {
      status = spng_decode_image(context, target, count * 3, Int32(SPNG_FMT_RGB8.rawValue), 0)
    }
    guard status == 0 else {
      throw OnePassError.corruptImage(.png, reason: String(cString: spng_strerror(status)))
    }
    if channels == 1 { ColourKernels.luma(ofRGB: target, into: target, count: count) }
  }
}
