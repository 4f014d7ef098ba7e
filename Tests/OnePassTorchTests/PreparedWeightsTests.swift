import OnePassCore
import OnePassTorch
import Testing

/// Convolution and batch normalisation in one pass, with weights that are prepared once.
@Suite("Prepared weights") struct PreparedWeightsTests {
  struct Case: CustomTestStringConvertible {
    let images: Int, side: Int, inputs: Int, outputs: Int
    var size = 3, stride = 1
    var testDescription: String {
      "\(images) of \(side)x\(side), \(inputs) to \(outputs) channels, \(size)x\(size), stride \(stride)"
    }
  }

  /// Winograd's algorithm, patches, pixels, parts of panels, a stem, and channels that do not suit the kernels.
  static let cases = [
    Case(images: 4, side: 16, inputs: 16, outputs: 32), Case(images: 1, side: 8, inputs: 32, outputs: 16),
    Case(images: 2, side: 9, inputs: 32, outputs: 48, stride: 2),
    Case(images: 3, side: 5, inputs: 64, outputs: 128, size: 1),
    Case(images: 40, side: 8, inputs: 32, outputs: 64, size: 1),
    Case(images: 2, side: 14, inputs: 3, outputs: 16, size: 7, stride: 2),
    Case(images: 3, side: 6, inputs: 5, outputs: 10),
  ]

  private static func noise(_ shape: [Int], _ seed: Int) throws -> Tensor {
    var chance = SeededGenerator(seed: 8, .test, seed)
    let values = (0..<shape.reduce(1, *)).map { _ in Float(chance.nextUnit() * 4 - 2) }
    return try Tensor(values, shape: shape).channelsLast()
  }

  /// A convolution with its normalisation, whose running statistics are those of one mini-batch.
  private struct Layer {
    let convolution: Conv2d
    let norm: BatchNorm2d
    let images: Tensor
    let addend: Tensor

    init(_ c: Case) throws {
      let initialiser = try Initialiser(seed: 3)
      convolution = try Conv2d(
        c.inputs, c.outputs, size: c.size, stride: c.stride, padding: c.size / 2, from: initialiser)
      norm = try BatchNorm2d(c.outputs, from: initialiser)
      images = try noise([c.images, c.inputs, c.side, c.side], 1)
      let outputs = try convolution(images)
      _ = try norm(outputs, .training)
      addend = try noise(outputs.shape, 2)
    }

    func output(adds: Bool, rectifies: Bool) throws -> [Float] {
      try convolution.convolved(
        images, norm, .evaluation, adding: adds ? addend : nil, rectifies: rectifies
      ).detached().floats()
    }
  }

  @Test("One pass computes what convolution, normalisation, addition and ReLU compute", arguments: cases)
  func onePass(_ c: Case) throws {
    let layer = try Layer(c)
    for (adds, rectifies) in [(false, false), (false, true), (true, true), (true, false)] {
      let made = try withoutGradient { try layer.output(adds: adds, rectifies: rectifies) }
      // With gradients libtorch normalises, and each operator is called alone.
      let expected = try layer.output(adds: adds, rectifies: rectifies)
      let error = zip(made, expected).map { abs($0 - $1) }.max() ?? .infinity
      #expect(error < 2e-5, "adds \(adds), rectifies \(rectifies)")
      #expect(!rectifies || made.allSatisfy { $0 >= 0 })
    }
  }

  @Test("Prepared weights change no bit, are kept, and are forgotten when they are cleared", arguments: cases)
  func prepared(_ c: Case) throws {
    let layer = try Layer(c)
    func output(_ prepared: PreparedWeights? = nil) throws -> [Float] {
      guard let prepared else { return try withoutGradient { try layer.output(adds: true, rectifies: true) } }
      return try withoutGradient(reusing: prepared) { try layer.output(adds: true, rectifies: true) }
    }
    let prepared = PreparedWeights()
    let before = try output()
    for _ in 0..<2 { #expect(try output(prepared) == before) }
    _ = try withoutGradient { try layer.norm.bias.addInPlace(Tensor.full(3, shape: [c.outputs])) }
    let after = try output()
    #expect(after != before)
    let isForKernels = c.outputs % 16 == 0
    #expect(try output(prepared) == (isForKernels ? before : after))
    prepared.clear()
    #expect(try output(prepared) == after)
    #expect(try output(PreparedWeights()) == after)
  }

  @Test("Only parameters are prepared, since others can be computed in each pass")
  func onlyParameters() throws {
    let layer = try Layer(Self.cases[2])
    let prepared = PreparedWeights()
    func output() throws -> [Float] {
      try withoutGradient(reusing: prepared) { try layer.output(adds: false, rectifies: false) }
    }
    let weight = layer.convolution.weight
    try weight.setRequiresGradient(false)
    let before = try output()
    let one = try Tensor.full(1, shape: weight.shape)
    _ = try weight.addInPlace(one)
    #expect(try output() != before)
    try weight.setRequiresGradient(true)
    let kept = try output()
    _ = try withoutGradient { try weight.addInPlace(one) }
    #expect(try output() == kept)
  }
}
