import OnePassCore
import OnePassTorch
import Testing

/// Tests the impulse response of the binomial filter; models that use it are compared with PyTorch elsewhere.
@Suite("Blurring before strided convolutions") struct BlurTests {
  static let channels = 16

  /// `[1, 16, 3, 3]` with two ones: in the centre of channel 0 and in a corner of channel 1.
  private func impulses() throws -> Tensor {
    var values = [Float](repeating: 0, count: 9 * Self.channels)
    (values[4], values[9]) = (1, 1)
    return try Tensor(values, shape: [1, Self.channels, 3, 3]).channelsLast()
  }

  /// The whole filter for the centre, and the quarter of it inside the image for the corner.
  static let expected: [Float] =
    ([1, 2, 1, 2, 4, 2, 1, 2, 1, 4, 2, 0, 2, 1, 0, 0, 0, 0] + Array(repeating: 0, count: 14 * 9)).map {
      $0 / 16
    }

  @Test("A pixel spreads to its neighbours in the same channel, with zero padding")
  func spreads() throws {
    #expect(try Blur2d(Self.channels)(impulses()).floats() == Self.expected)
  }

  /// The filter is symmetric, so the gradient of a pixel spreads like the pixel.
  @Test(
    "The gradient spreads like the pixel in either precision",
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

  @Test("Only a strided convolution of at least 16 channels blurs its input")
  func blurringConvolutions() throws {
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

  @Test("An input with another number of channels is rejected")
  func misfit() throws {
    let images = try Tensor.full(1, shape: [1, 15, 3, 3])
    #expect(throws: OnePassError.self) { try Blur2d(Self.channels)(images) }
  }
}
