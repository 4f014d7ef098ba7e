import CImages

/// The antialiased bilinear weights along one axis: output pixel i is Σ weights[i][t] · input[starts[i] + t].
///
/// The width of the triangle is proportional to the reduction, and two pixels for enlargement, as in Pillow's
/// `precompute_coeffs` and torchvision's `antialias=True`. Every output has the same number of taps, so that
/// the loops over them do not branch.
final class ResizeAxis {
  private(set) var input = 0
  private(set) var output = 0
  /// The number of weights of each output pixel.
  private(set) var taps = 0
  private let startMemory = ScratchBuffer<Int32>(zero: 0)
  private let weightMemory = ScratchBuffer<Float>(zero: 0)
  private let nudgeMemory = ScratchBuffer<Float>(zero: 0)
  private let raw = ScratchBuffer<Double>(zero: 0)

  var starts: UnsafePointer<Int32> { UnsafePointer(startMemory.base) }
  var weights: UnsafePointer<Float> { UnsafePointer(weightMemory.base) }

  /// A value added to each output's sum before rounding to the nearest, so that exact halves are rounded as in Pillow.
  ///
  /// Pillow rounds halves up, but first rounds its weights to multiples of 2⁻²². If the weights then add up to less than
  /// 1, a sum that should be a half falls just short of it. Halves are common: at a ratio of 3 : 4, one sum in eight.
  /// 2⁻¹³ exceeds the errors of float32 sums and of Pillow's weights, and is too small to change other sums.
  var nudges: UnsafePointer<Float> { UnsafePointer(nudgeMemory.base) }

  /// Computes the weights for a pair of sizes, unless they are those of the last image.
  /// - Complexity: O(input + output), a few microseconds.
  func prepare(input: Int, output: Int) {
    guard input != self.input || output != self.output else { return }
    (self.input, self.output) = (input, output)
    let scale = Double(input) / Double(output)
    // Half the width of the triangle, in input pixels.
    let support = max(scale, 1)
    let most = min(input, Int(support.rounded(.up)) * 2 + 1)
    let starts = startMemory.reserve(output)
    let raw = raw.reserve(output * most)
    let nudges = nudgeMemory.reserve(output)
    taps = 1
    for index in 0..<output {
      let centre = (Double(index) + 0.5) * scale
      let first = max(0, Int(centre - support + 0.5))
      let end = min(input, Int(centre + support + 0.5))
      var sum = 0.0
      for tap in 0..<most {
        let distance = (Double(first + tap) - centre + 0.5) / support
        let weight = first + tap < end ? max(0, 1 - abs(distance)) : 0
        raw[index * most + tap] = weight
        sum += weight
        if weight > 0 { taps = max(taps, tap + 1) }
      }
      var fixedPointSum = 0.0
      for tap in 0..<most {
        raw[index * most + tap] /= sum
        fixedPointSum += (raw[index * most + tap] * 0x1p22).rounded()
      }
      nudges[index] = fixedPointSum < 0x1p22 ? -0x1p-13 : 0x1p-13
      starts[index] = Int32(first)
    }
    let weights = weightMemory.reserve(output * taps)
    for index in 0..<output {
      // Near the end the window of taps is shifted back into the image, and its first weights are 0.
      let shift = max(0, Int(starts[index]) + taps - input)
      starts[index] -= Int32(shift)
      for tap in 0..<taps {
        weights[index * taps + tap] = tap < shift ? 0 : Float(raw[index * most + tap - shift])
      }
    }
  }

  var kernel: CImagesAxis {
    CImagesAxis(starts: starts, weights: weights, nudges: nudges, taps: Int32(taps))
  }

  /// The input pixels that a range of outputs needs. The range must not be empty.
  func inputRange(of outputs: Range<Int>) -> Range<Int> {
    Int(starts[outputs.lowerBound])..<(Int(starts[outputs.upperBound - 1]) + taps)
  }
}

/// A cache of axes, for streams in which few sizes are common.
final class ResizeAxes {
  /// About 10 KB each.
  private static let most = 16
  private var recent: [ResizeAxis] = []
  private var next = 0

  /// The axis for a pair of sizes, valid until other sizes are requested.
  /// - Parameter kept: An axis that is still in use and must not be replaced.
  func axis(input: Int, output: Int, keeping kept: ResizeAxis? = nil) -> ResizeAxis {
    if let known = recent.first(where: { $0.input == input && $0.output == output }) { return known }
    if recent.count < Self.most { recent.append(ResizeAxis()) }
    if recent[next % recent.count] === kept { next += 1 }
    let axis = recent[next % recent.count]
    next += 1
    axis.prepare(input: input, output: output)
    return axis
  }
}
