import CImages

/// Writes finished rows of an image into its slot of a batch, in the batch's pixel type.
struct RowWriter {
  enum Target {
    case float32(UnsafeMutablePointer<Float>)
    case uint8(UnsafeMutablePointer<UInt8>)
  }

  let target: Target
  /// The normalisation of a whole row: value = level · factor + offset.
  let factor: UnsafePointer<Float>
  let offset: UnsafePointer<Float>
  let channels: Int

  /// Writes `count` elements of level 0, the colour of padding.
  func blacken(_ element: Int, count: Int) {
    switch target {
    case .float32(let base): (base + element).update(from: offset, count: count)
    case .uint8(let base): (base + element).update(repeating: 0, count: count)
    }
  }

  /// The vertical pass of a resize: writes `count` elements from `element` on, each a weighted sum over `taps` rows.
  func blend(
    _ rows: UnsafePointer<UnsafePointer<Float>>, weights: UnsafePointer<Float>, nudge: Float, taps: Int,
    to element: Int, count: Int
  ) {
    switch target {
    case .float32(let base):
      cimages_blend_rows(rows, weights, nudge, Int32(taps), factor, offset, base + element, Int32(count))
    case .uint8(let base):
      cimages_blend_levels(rows, weights, nudge, Int32(taps), base + element, Int32(count))
    }
  }

  /// Copies `count` pixels of `step` bytes, in reverse order if `isFlipped`.
  func copy(_ row: UnsafePointer<UInt8>, step: Int, isFlipped: Bool, to element: Int, count: Int) {
    let isFlipped: Int32 = isFlipped ? 1 : 0
    switch target {
    case .float32(let base):
      cimages_normalise(
        row, Int32(step), Int32(channels), isFlipped, factor, offset, base + element, Int32(count))
    case .uint8(let base):
      cimages_copy_levels(row, Int32(step), Int32(channels), isFlipped, base + element, Int32(count))
    }
  }
}
