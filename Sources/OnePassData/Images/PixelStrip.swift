/// A part of an image that is decoded: these rows, of which these columns. Neither is empty.
struct PixelRegion: Hashable, Sendable {
  let rows: Range<Int>
  let columns: Range<Int>

  init(rows: Range<Int>, columns: Range<Int>) { (self.rows, self.columns) = (rows, columns) }

  /// The whole image.
  init(_ header: ImageHeader) { self.init(rows: 0..<header.height, columns: 0..<header.width) }
}

/// Some rows of a region, decoded: 8 bits, channels interleaved.
///
/// Borrowed from the decoder; valid only inside the closure that received it.
struct PixelStrip {
  /// The first of the region's columns in the first row.
  let base: UnsafePointer<UInt8>
  /// The image's rows that are here.
  let rows: Range<Int>
  /// Bytes from one row to the next.
  let stride: Int
  /// Bytes from one pixel to the next: 1 (grey), 3 (RGB), or 4 (RGB and a byte without meaning).
  let step: Int

  func row(_ index: Int) -> UnsafePointer<UInt8> { base + (index - rows.lowerBound) * stride }
}
