/// A rectangle of an image. Neither range is empty.
struct PixelRegion: Hashable, Sendable {
  let rows: Range<Int>
  let columns: Range<Int>

  init(rows: Range<Int>, columns: Range<Int>) { (self.rows, self.columns) = (rows, columns) }

  /// The whole image.
  init(_ header: ImageHeader) { self.init(rows: 0..<header.height, columns: 0..<header.width) }
}

/// Some decoded rows of a region, in 8 bits with interleaved channels.
///
/// Borrowed from the decoder; valid only inside the closure that received it.
struct PixelStrip {
  /// The region's first column in the first row.
  let base: UnsafePointer<UInt8>
  /// The rows of the image in this strip.
  let rows: Range<Int>
  /// Bytes from one row to the next.
  let stride: Int
  /// Bytes from one pixel to the next: 1 (grey), 3 (RGB), or 4 (RGB and an unused byte).
  let step: Int

  func row(_ index: Int) -> UnsafePointer<UInt8> { base + (index - rows.lowerBound) * stride }
}
