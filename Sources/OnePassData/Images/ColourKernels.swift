/// Pillow's colour conversions in its integer arithmetic, so that results are bit-identical.
enum ColourKernels {
  /// Grey to RGB: each value is repeated three times.
  static func replicate(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int)
  {
    for pixel in 0..<count {
      let value = source[pixel]
      target[3 &* pixel] = value
      target[3 &* pixel &+ 1] = value
      target[3 &* pixel &+ 2] = value
    }
  }

  /// RGB to grey: L = 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point (Pillow, `L24`). May work in place.
  static func luma(
    ofRGB source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    for pixel in 0..<count {
      let red = UInt32(source[3 &* pixel])
      let green = UInt32(source[3 &* pixel &+ 1])
      let blue = UInt32(source[3 &* pixel &+ 2])
      let sum = red &* 19595 &+ green &* 38470 &+ blue &* 7471 &+ 0x8000
      target[pixel] = UInt8(truncatingIfNeeded: sum &>> 16)
    }
  }

  /// Adobe's CMYK, in which 255 is no ink, to RGB: v = K · (1 − ink) (Pillow, `cmyk2rgb`). May work in place.
  ///
  /// Pillow treats every CMYK JPEG as inverted, with or without Adobe's marker.
  static func rgb(
    ofInvertedCMYK source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    for pixel in 0..<count {
      let black = Int32(source[4 &* pixel &+ 3])
      for channel in 0..<3 {
        let ink = 255 &- Int32(source[4 &* pixel &+ channel])
        // Division by 255 with rounding, as Pillow's MULDIV255.
        let product = ink &* black &+ 128
        let scaled = ((product &>> 8) &+ product) &>> 8
        target[3 &* pixel &+ channel] = UInt8(truncatingIfNeeded: max(0, black &- scaled))
      }
    }
  }
}
