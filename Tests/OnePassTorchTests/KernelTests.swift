import OnePassCore
import OnePassTorch
import Testing

/// Compares the custom kernels with their definitions in float64.
@Suite("CPU kernels") struct KernelTests {
  /// Approximately normally distributed numbers in float32, and the same numbers in float64.
  private func noise(_ shape: [Int], _ seed: Int, mean: Double = 0) throws -> (
    tensor: Tensor, values: [Double]
  ) {
    var chance = SeededGenerator(seed: 5, .test, seed)
    let values = (0..<shape.reduce(1, *)).map { _ in
      Float((0..<12).reduce(mean - 6) { sum, _ in sum + chance.nextUnit() })
    }
    return (try Tensor(values, shape: shape).channelsLast(), values.map(Double.init))
  }

  struct Shape: CustomTestStringConvertible {
    let images: Int, height: Int, width: Int, inputs: Int, outputs: Int
    var testDescription: String { "\(images) of \(height)x\(width), \(inputs) to \(outputs) channels" }
  }

  /// Sizes that are and are not multiples of a tile, every panel width, remaining rows, few and many filters. The last shape
  /// has too few tiles for the Winograd algorithm.
  static let shapes = [
    Shape(images: 3, height: 16, width: 16, inputs: 16, outputs: 16),
    Shape(images: 9, height: 5, width: 7, inputs: 16, outputs: 48),
    Shape(images: 11, height: 9, width: 6, inputs: 64, outputs: 32),
    Shape(images: 40, height: 1, width: 1, inputs: 32, outputs: 64),
    Shape(images: 37, height: 3, width: 2, inputs: 160, outputs: 128),
    Shape(images: 2, height: 4, width: 4, inputs: 16, outputs: 16),
  ]

  @Test("A convolution and its gradients match their definitions", arguments: shapes)
  func convolution(s: Shape) throws {
    let (images, x) = try noise([s.images, s.inputs, s.height, s.width], 1)
    let (weight, w) = try noise([s.outputs, s.inputs, 3, 3], 2)
    let (factor, g) = try noise([s.images, s.outputs, s.height, s.width], 3)
    try images.setRequiresGradient(true)
    try weight.setRequiresGradient(true)
    let output = try conv2d(images, weight: weight, padding: 1)
    try (output * factor).sum().backward()
    let made = [
      try output.detached().floats(), try #require(try images.grad).floats(),
      try #require(try weight.grad).floats(),
    ]
    func index(_ c: Int, _ channels: Int, _ n: Int, _ y: Int, _ x: Int) -> Int? {
      guard (0..<s.height).contains(y), (0..<s.width).contains(x) else { return nil }
      return ((n * channels + c) * s.height + y) * s.width + x
    }
    // A sample of elements of each result: the products whose sum defines it.
    var chance = SeededGenerator(seed: 6, .test, s.inputs)
    for _ in 0..<60 {
      let (n, k, c) = (
        chance.next(below: s.images), chance.next(below: s.outputs), chance.next(below: s.inputs)
      )
      let (row, column) = (chance.next(below: s.height), chance.next(below: s.width))
      let (p, q) = (chance.next(below: 3), chance.next(below: 3))
      var terms: [[Double]] = [[], [], []]
      for i in 0..<3 {
        for j in 0..<3 {
          for channel in 0..<s.inputs {
            if let place = index(channel, s.inputs, n, row + i - 1, column + j - 1) {
              terms[0].append(x[place] * w[(k * s.inputs + channel) * 9 + 3 * i + j])
            }
          }
          for channel in 0..<s.outputs {
            if let place = index(channel, s.outputs, n, row - i + 1, column - j + 1) {
              terms[1].append(g[place] * w[(channel * s.inputs + c) * 9 + 3 * i + j])
            }
          }
        }
      }
      for image in 0..<s.images {
        for y in 0..<s.height {
          for z in 0..<s.width {
            if let from = index(c, s.inputs, image, y + p - 1, z + q - 1),
              let to = index(k, s.outputs, image, y, z)
            {
              terms[2].append(x[from] * g[to])
            }
          }
        }
      }
      let places = [
        try #require(index(k, s.outputs, n, row, column)), try #require(index(c, s.inputs, n, row, column)),
        (k * s.inputs + c) * 9 + 3 * p + q,
      ]
      for part in 0..<3 {
        let size = terms[part].reduce(0) { $0 + $1 * $1 }.squareRoot()
        // The transforms multiply by up to 100 and cancel, so errors reach hundreds of ulps of the largest term.
        let error = abs(Double(made[part][places[part]]) - terms[part].reduce(0, +))
        #expect(error <= 4e-5 * max(size, 1), "part \(part) at \(places[part]): \(error) of \(size)")
      }
    }
  }

  @Test(
    "Fused batch normalisation, addition and ReLU match their definitions, gradients included",
    arguments: [(48, false, false), (16, false, true), (64, true, true), (32, true, false)])
  func normalisation(channels: Int, adds: Bool, rectifies: Bool) throws {
    let shape = [5, channels, 7, 9]
    let rows = 5 * 7 * 9
    // A mean far from zero must not reduce the precision.
    let (images, x) = try noise(shape, 1, mean: 30)
    let (addend, a) = try noise(shape, 2)
    let (factor, g) = try noise(shape, 3)
    var parameters: [(tensor: Tensor, values: [Double])] = []
    for seed in 4..<6 {
      let (_, values) = try noise([1, channels, 1, 1], seed)
      parameters.append((try Tensor(values.map(Float.init), shape: [channels]), values))
    }
    let (weight, bias) = (parameters[0], parameters[1])
    for tensor in [images, addend, weight.tensor, bias.tensor] { try tensor.setRequiresGradient(true) }
    let mean = try Tensor.full(1, shape: [channels])
    let variance = try Tensor.full(2, shape: [channels])
    let output = try batchNorm(
      images, weight: weight.tensor, bias: bias.tensor, runningMean: mean, runningVariance: variance,
      adding: adds ? addend : nil, rectifies: rectifies, training: true)
    try (output * factor).sum().backward()
    let y = try output.detached().floats()
    let (dx, dw, db) = (
      try #require(try images.grad).floats(), try #require(try weight.tensor.grad).floats(),
      try #require(try bias.tensor.grad).floats()
    )
    let da = try addend.grad?.floats()
    #expect((da != nil) == adds)
    for c in 0..<channels {
      let places = (0..<rows).map { ($0 / 63 * channels + c) * 63 + $0 % 63 }
      let m = places.reduce(0) { $0 + x[$1] } / Double(rows)
      let v = places.reduce(0) { $0 + (x[$1] - m) * (x[$1] - m) } / Double(rows)
      #expect(abs(Double(try mean.floats()[c]) - (0.9 + 0.1 * m)) < 1e-5)
      #expect(
        abs(Double(try variance.floats()[c]) - (1.8 + 0.1 * v * Double(rows) / Double(rows - 1))) < 1e-5)
      let deviation = (v + 1e-5).squareRoot()
      let normal = places.map { (x[$0] - m) / deviation }
      let below = zip(places, normal).map { place, value in
        weight.values[c] * value + bias.values[c] + (adds ? a[place] : 0)
      }
      let upper = zip(places, below).map { place, value in !rectifies || value > 0 ? g[place] : 0 }
      let (sum, product) = (upper.reduce(0, +), zip(upper, normal).reduce(0) { $0 + $1.0 * $1.1 })
      #expect(abs(Double(db[c]) - sum) < 1e-4 && abs(Double(dw[c]) - product) < 1e-3)
      for (index, place) in places.enumerated() where abs(below[index]) > 1e-4 {
        #expect(abs(Double(y[place]) - (rectifies ? max(0, below[index]) : below[index])) < 1e-4)
        let slope =
          weight.values[c] / deviation
          * (upper[index] - sum / Double(rows) - normal[index] * product / Double(rows))
        #expect(abs(Double(dx[place]) - slope) < 1e-4)
        if let da { #expect(abs(Double(da[place]) - upper[index]) < 1e-6) }
      }
    }
  }

  @Test("ReLU propagates NaN")
  func notANumber() throws {
    var values = Array(repeating: Float(1), count: 16 * 4)
    values[5] = .nan
    let images = try Tensor(values, shape: [1, 16, 2, 2]).channelsLast()
    let ones = try Tensor.full(1, shape: [16])
    let output = try withoutGradient {
      try batchNorm(
        images, weight: ones, bias: ones, runningMean: ones, runningVariance: ones, rectifies: true,
        training: false)
    }
    #expect(try output.floats().count { $0.isNaN } == 1)
  }

  @Test("A live tensor keeps its contents while freed memory is reused")
  func tensorMemory() throws {
    Engine.keepFreedMemory()
    var kept: [Tensor] = []
    for round in 0..<20 {
      kept.append(try Tensor.full(Double(round), shape: [100_000 + 7_000 * (round % 5)]))
      _ = try Tensor.full(-1, shape: [100_000 + 9_000 * round])
      if round % 3 == 2 { kept.removeFirst() }
    }
    for (offset, tensor) in kept.enumerated() {
      let values = Set(try tensor.floats())
      #expect(values.count == 1 && values.first == Float(offset + 6))
    }
  }
}
