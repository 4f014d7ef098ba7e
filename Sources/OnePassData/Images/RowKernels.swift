/// The inner loops over rows of grey pixels. The loops over colours, which dominate the run time, are in C (`CImages`).
enum RowKernels {
  /// Adding and subtracting 2²³ rounds a float from 0 to 2²² to the nearest integer; see also `ResizeAxis.nudges`.
  @inline(__always) private static var whole: Float { 0x1p23 }

  /// 8-bit levels as floats.
  static func widen(_ source: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<Float>, count: Int) {
    var index = 0
    while index < count {
      target[index] = Float(source[index])
      index &+= 1
    }
  }

  /// The horizontal pass over one row of one channel: outputs `outputs` of `axis`, rounded to whole levels.
  ///
  /// `source` has the pixels from `firstInput` on. `target` is written from its start; if `isFlipped`, the outputs are
  /// in reverse order.
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
}
