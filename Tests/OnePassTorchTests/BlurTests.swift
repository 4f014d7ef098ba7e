import OnePassCore
import OnePassTorch
import Testing

/// The binomial filter, by what it makes of single pixels; models that use it are compared with PyTorch's.
@Suite("Blurring before strides") struct BlurTests {
  static let channels = 16

  /// `[1, 16, 3, 3]` with single ones: in the middle of channel 0, in a corner of channel 1.
  private func impulses() throws -> Tensor {
    var values = [Float](repeating: 0, count: 9 * Self.channels)
    (values[4], values[9]) = (1, 1)
    return try Tensor(values, shape: [1, Self.channels, 3, 3]).channelsLast()
  }

  /// Sixteenths: all of the filter, and the quarter of it that is left at a corner.
  static let expected: [Float] =
    ([1, 2, 1, 2, 4, 2, 1, 2, 1, 4, 2, 0, 2, 1, 0, 0, 0, 0] + Array(repeating: 0, count: 14 * 9)).map {
      $0 / 16
    }

  @Test("A pixel spreads over its neighbours of the same channel, and zeros surround the image")
  func spreads() throws {
    #expect(try Blur2d(Self.channels)(impulses()).floats() == Self.expected)
  }

  /// The filter is symmetric, so that the gradient of a pixel spreads as the pixel does.
  @Test(
    "The gradient spreads in the same way, in either precision",
    arguments: [Precision.float32, .bfloat16].filter { Device.cpu.supports($0) })
  func gradient(precision: Precision) throws {
    let images = try Tensor.full(0.5, shape: [1, Self.channels, 3, 3]).channelsLast()
    try images.setRequiresGradient(true)
    let sum = try withPrecision(precision, on: .cpu) {
      try (Blur2d(Self.channels)(images) * impulses()).sum()
    }
    try sum.backward()
    #expect(try images.grad?.floats() == Self.expected)
  }

  @Test("Only a convolution with a stride over 16 channels or more blurs, if its model does")
  func who() throws {
    func isBlurred(_ channels: Int, stride: Int, _ blurs: Bool) throws -> Bool {
      let layer = try Conv2d(
        channels, 2, size: 3, stride: stride, blursBeforeStride: blurs, from: Initialiser(seed: 1))
      #expect(layer.namedTensors.map(\.name) == ["weight"])
      let images = try Tensor.full(1, shape: [1, channels, 5, 5]).channelsLast()
      return try layer.blurred(images).floats() != images.floats()
    }
    #expect(try isBlurred(16, stride: 2, true))
    #expect(try !isBlurred(15, stride: 2, true))
    #expect(try !isBlurred(16, stride: 1, true))
    #expect(try !isBlurred(16, stride: 2, false))
  }

  @Test("Images of other channels are refused")
  func misfit() throws {
    let images = try Tensor.full(1, shape: [1, 15, 3, 3])
    #expect(throws: OnePassError.self) { try Blur2d(Self.channels)(images) }
  }
}
