import CImages
import OnePassCore

extension ImageDecoder {
  /// The height of a strip: that of libjpeg's tallest block, so that few rows are decoded ahead.
  private static let stripRows = 16

  /// Calls `body` with the strips of a region.
  func decodeJPEG(
    _ source: UnsafeBufferPointer<UInt8>, _ header: ImageHeader, channels: Int, isPadded: Bool,
    region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    let jpeg = try jpegDecoder()
    let (layout, stored, step): (CImagesLayout, Int, Int) =
      switch (header.components, channels) {
      case (1, 1): (CIMAGES_GREY, 1, 1)
      case (4, _): (CIMAGES_CMYK, 4, channels)
      case (_, 3) where isPadded: (CIMAGES_RGBX, 4, 4)
      default: (CIMAGES_RGB, 3, channels)
      }
    let wanted = CImagesRegion(
      width: UInt32(header.stored.width), height: UInt32(header.stored.height),
      first_column: UInt32(region.columns.lowerBound), columns: UInt32(region.columns.count),
      first_row: UInt32(region.rows.lowerBound))
    guard let start = source.baseAddress else { return }
    try check(cimages_decoder_begin(jpeg, start, source.count, layout, wanted), source.count)
    let columns = Int(cimages_decoder_columns(jpeg))
    let margin = region.columns.lowerBound - Int(cimages_decoder_first_column(jpeg))
    // The offset of 8 keeps rows unaligned: libjpeg-turbo writes aligned rows past the caches, and they are read next.
    let stride = (columns * stored + 31) / 32 * 32
    let target = pixels.reserve(stride * min(Self.stripRows, region.rows.count) + 8) + 8
    var first = region.rows.lowerBound
    while first < region.rows.upperBound {
      let rows = first..<min(first + Self.stripRows, region.rows.upperBound)
      try check(cimages_decoder_read(jpeg, target, stride, UInt32(rows.count)), source.count)
      for row in 0..<rows.count {
        let pixels = target + row * stride
        if stored == 4, step != 4 {
          ColourKernels.rgb(ofInvertedCMYK: pixels, into: pixels, count: columns)
        }
        if stored >= 3, step == 1 { ColourKernels.luma(ofRGB: pixels, into: pixels, count: columns) }
      }
      try body(PixelStrip(base: target + margin * step, rows: rows, stride: stride, step: step))
      first = rows.upperBound
    }
    try check(cimages_decoder_end(jpeg), source.count)
  }

  private func check(_ status: CImagesStatus, _ count: Int) throws {
    guard status != CIMAGES_OK, let jpeg else { return }
    throw status == CIMAGES_ENDS_EARLY
      ? OnePassError.truncatedImage(.jpeg, after: count)
      : OnePassError.corruptImage(.jpeg, reason: String(cString: cimages_decoder_message(jpeg)))
  }
}
