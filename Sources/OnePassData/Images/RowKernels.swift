/// The inner loops over rows of pixels, on bare memory; everything unsafe about them is here and in their callers.
///
/// They keep to portable SIMD, which the compiler maps to SSE, AVX or NEON.
enum RowKernels {
  /// Adding and taking away 2²³ leaves the nearest whole number of a float from 0 to 2²²; see also `ResizeAxis.nudges`.
  @inline(__always) private static var whole: Float { 0x1p23 }
  /// Floats that may be read or written behind the end of a row.
  static let slack = 4

  /// 8-bit levels as floats.
  static func widen(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<Float>, count: Int) {
    var index = 0
    while index < count {
      target[index] = Float(source[index])
      index &+= 1
    }
  }

  /// The horizontal pass over one row of three channels: outputs `outputs` of `axis`, rounded to whole levels.
  ///
  /// `source` holds the pixels from `firstInput` on. `target` is written from its beginning, left to right, from
  /// right to left in the image if `isFlipped`; `slack` floats behind either row are touched.
  static func resizeColumns3(
    _ source: UnsafePointer<Float>, firstInput: Int, axis: ResizeAxis, outputs: Range<Int>, isFlipped: Bool,
    into target: UnsafeMutablePointer<Float>
  ) {
    // With the number of taps known to the compiler the inner loop is unrolled, which halves the time.
    switch axis.taps {
    case 2: resizeColumns3(source, firstInput, axis, outputs, isFlipped, target, taps: 2)
    case 3: resizeColumns3(source, firstInput, axis, outputs, isFlipped, target, taps: 3)
    case 4: resizeColumns3(source, firstInput, axis, outputs, isFlipped, target, taps: 4)
    case 5: resizeColumns3(source, firstInput, axis, outputs, isFlipped, target, taps: 5)
    case 6: resizeColumns3(source, firstInput, axis, outputs, isFlipped, target, taps: 6)
    default: resizeColumns3(source, firstInput, axis, outputs, isFlipped, target, taps: axis.taps)
    }
  }

  /// One pixel is a vector of four floats, the last of them the next pixel's red, which the next store overwrites.
  @inline(__always)
  private static func resizeColumns3(
    _ source: UnsafePointer<Float>, _ firstInput: Int, _ axis: ResizeAxis, _ outputs: Range<Int>,
    _ isFlipped: Bool, _ target: UnsafeMutablePointer<Float>, taps: Int
  ) {
    let step = isFlipped ? -1 : 1
    let first = isFlipped ? outputs.upperBound &- 1 : outputs.lowerBound
    var start = axis.starts + first
    var nudge = axis.nudges + first
    var weight = axis.wideWeights + first &* taps
    let origin = UnsafeRawPointer(source) - 12 &* firstInput
    var out = UnsafeMutableRawPointer(target)
    let end = out + 12 &* outputs.count
    while out != end {
      let pixel = origin + 12 &* Int(start.pointee)
      var sum = SIMD4<Float>(repeating: nudge.pointee)
      var tap = 0
      while tap < taps {
        sum += (pixel + 12 &* tap).loadUnaligned(as: SIMD4<Float>.self) * weight[tap]
        tap &+= 1
      }
      out.storeBytes(of: (sum + whole) - whole, as: SIMD4<Float>.self)
      out += 12
      start += step
      nudge += step
      weight += step &* taps
    }
  }

  /// The horizontal pass over one row of one channel; see `resizeColumns3`.
  static func resizeColumns1(
    _ source: UnsafePointer<Float>, firstInput: Int, axis: ResizeAxis, outputs: Range<Int>, isFlipped: Bool,
    into target: UnsafeMutablePointer<Float>
  ) {
    let step = isFlipped ? -1 : 1
    var output = isFlipped ? outputs.upperBound &- 1 : outputs.lowerBound
    for index in 0..<outputs.count {
      let pixel = source + (Int(axis.starts[output]) &- firstInput)
      let weight = axis.weights + output &* axis.taps
      var sum = axis.nudges[output]
      for tap in 0..<axis.taps { sum += pixel[tap] * weight[tap] }
      target[index] = (sum + whole) - whole
      output &+= step
    }
  }

  /// The vertical pass and the normalisation: target[i] = round(Σ weights[t] · rows[t][i]) · factor[i] + offset[i].
  static func blendRows(
    _ rows: UnsafePointer<UnsafePointer<Float>>, weights: UnsafePointer<Float>, nudge: Float, taps: Int,
    factor: UnsafePointer<Float>, offset: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    var index = 0
    while index &+ 16 <= count {
      var sum = SIMD16<Float>(repeating: nudge)
      for tap in 0..<taps {
        sum += UnsafeRawPointer(rows[tap] + index).loadUnaligned(as: SIMD16<Float>.self) * weights[tap]
      }
      sum = (sum + whole) - whole
      let scaled =
        sum * UnsafeRawPointer(factor + index).loadUnaligned(as: SIMD16<Float>.self)
        + UnsafeRawPointer(offset + index).loadUnaligned(as: SIMD16<Float>.self)
      UnsafeMutableRawPointer(target + index).storeBytes(of: scaled, as: SIMD16<Float>.self)
      index &+= 16
    }
    while index < count {
      var sum = nudge
      for tap in 0..<taps { sum += rows[tap][index] * weights[tap] }
      target[index] = ((sum + whole) - whole) * factor[index] + offset[index]
      index &+= 1
    }
  }

  /// The normalisation alone, for rows that are not resized: target[i] = source[i] · factor[i] + offset[i].
  static func normalise(
    _ source: UnsafePointer<UInt8>, factor: UnsafePointer<Float>, offset: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    var index = 0
    while index < count {
      target[index] = Float(source[index]) * factor[index] + offset[index]
      index &+= 1
    }
  }

  /// A row of pixels in reverse order.
  static func reverse(
    _ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<UInt8>, pixels: Int, channels: Int
  ) {
    if channels == 1 {
      for index in 0..<pixels { target[index] = source[pixels &- 1 &- index] }
      return
    }
    var from = source + 3 &* (pixels &- 1)
    var to = target
    for _ in 0..<pixels {
      (to[0], to[1], to[2]) = (from[0], from[1], from[2])
      from -= 3
      to += 3
    }
  }
}
