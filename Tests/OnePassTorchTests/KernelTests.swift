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
    var size = 3, stride = 1, padding = 1
    var down: Int { (height + 2 * padding - size) / stride + 1 }
    var across: Int { (width + 2 * padding - size) / stride + 1 }
    var testDescription: String {
      "\(images) of \(height)x\(width), \(inputs) to \(outputs) channels, \(size)x\(size), stride \(stride), padding \(padding)"
    }
  }

  /// For the Winograd algorithm: sizes that are and are not multiples of a tile, every panel width, remaining rows, few and many
  /// filters. For patches: too few tiles, images of one and three channels, every stride and size of the models, single pixels,
  /// numbers of channels that are no multiples of 16, depths above 512, and few and many filters.
  static let shapes = [
    Shape(images: 3, height: 16, width: 16, inputs: 16, outputs: 16),
    Shape(images: 9, height: 5, width: 7, inputs: 16, outputs: 48),
    Shape(images: 11, height: 9, width: 6, inputs: 64, outputs: 32),
    Shape(images: 40, height: 1, width: 1, inputs: 32, outputs: 64),
    Shape(images: 37, height: 3, width: 2, inputs: 160, outputs: 128),
    Shape(images: 2, height: 4, width: 4, inputs: 16, outputs: 16),
    Shape(images: 3, height: 9, width: 10, inputs: 3, outputs: 16),
    Shape(images: 2, height: 15, width: 14, inputs: 3, outputs: 64, size: 7, stride: 2, padding: 3),
    Shape(images: 4, height: 7, width: 7, inputs: 1, outputs: 10, size: 5, padding: 0),
    Shape(images: 3, height: 8, width: 9, inputs: 32, outputs: 64, stride: 2),
    Shape(images: 3, height: 8, width: 9, inputs: 17, outputs: 23, stride: 2),
    Shape(images: 5, height: 6, width: 5, inputs: 48, outputs: 128, size: 1, padding: 0),
    Shape(images: 3, height: 6, width: 5, inputs: 24, outputs: 40, size: 1, stride: 2, padding: 0),
    Shape(images: 2, height: 5, width: 5, inputs: 130, outputs: 70, stride: 3),
    Shape(images: 60, height: 6, width: 6, inputs: 96, outputs: 112, size: 1, padding: 0),
    Shape(images: 9, height: 28, width: 28, inputs: 1, outputs: 16),
    Shape(images: 3, height: 32, width: 32, inputs: 3, outputs: 16),
    Shape(images: 20, height: 6, width: 5, inputs: 8, outputs: 16, size: 1, padding: 0),
    Shape(images: 2, height: 3, width: 3, inputs: 20, outputs: 16, size: 2, stride: 2, padding: 1),
  ]

  /// The output of a convolution, and the gradients of its images and filters for a random gradient of the output.
  private func results(_ s: Shape) throws -> (made: [[Float]], x: [Double], w: [Double], g: [Double]) {
    let (images, x) = try noise([s.images, s.inputs, s.height, s.width], 1)
    let (weight, w) = try noise([s.outputs, s.inputs, s.size, s.size], 2)
    let (factor, g) = try noise([s.images, s.outputs, s.down, s.across], 3)
    try images.setRequiresGradient(true)
    try weight.setRequiresGradient(true)
    let output = try conv2d(images, weight: weight, stride: s.stride, padding: s.padding)
    try (output * factor).sum().backward()
    let made = [
      try output.detached().floats(), try #require(try images.grad).floats(),
      try #require(try weight.grad).floats(),
    ]
    return (made, x, w, g)
  }

  @Test("A convolution and its gradients match their definitions", arguments: shapes)
  func convolution(s: Shape) throws {
    let (made, x, w, g) = try results(s)
    func input(_ c: Int, _ n: Int, _ y: Int, _ x: Int) -> Int? {
      guard (0..<s.height).contains(y), (0..<s.width).contains(x) else { return nil }
      return ((n * s.inputs + c) * s.height + y) * s.width + x
    }
    func output(_ k: Int, _ n: Int, _ y: Int, _ x: Int) -> Int {
      ((n * s.outputs + k) * s.down + y) * s.across + x
    }
    func filter(_ k: Int, _ c: Int, _ p: Int, _ q: Int) -> Int {
      ((k * s.inputs + c) * s.size + p) * s.size + q
    }
    // A sample of elements of each result: the products whose sum defines it.
    var chance = SeededGenerator(seed: 6, .test, s.inputs)
    for _ in 0..<60 {
      let (n, k, c) = (
        chance.next(below: s.images), chance.next(below: s.outputs), chance.next(below: s.inputs)
      )
      let (row, column) = (chance.next(below: s.down), chance.next(below: s.across))
      let (y, z) = (chance.next(below: s.height), chance.next(below: s.width))
      let (p, q) = (chance.next(below: s.size), chance.next(below: s.size))
      var terms: [[Double]] = [[], [], []]
      for i in 0..<s.size {
        for j in 0..<s.size {
          for channel in 0..<s.inputs {
            let (top, left) = (row * s.stride + i - s.padding, column * s.stride + j - s.padding)
            if let place = input(channel, n, top, left) {
              terms[0].append(x[place] * w[filter(k, channel, i, j)])
            }
          }
          // The outputs to which pixel (y, z) contributes by element (i, j) of a filter.
          let (down, across) = (y + s.padding - i, z + s.padding - j)
          guard down >= 0, across >= 0, down % s.stride == 0, across % s.stride == 0,
            down / s.stride < s.down,
            across / s.stride < s.across
          else { continue }
          for channel in 0..<s.outputs {
            let place = output(channel, n, down / s.stride, across / s.stride)
            terms[1].append(g[place] * w[filter(channel, c, i, j)])
          }
        }
      }
      for image in 0..<s.images {
        for down in 0..<s.down {
          for across in 0..<s.across {
            let (top, left) = (down * s.stride + p - s.padding, across * s.stride + q - s.padding)
            if let from = input(c, image, top, left) {
              terms[2].append(x[from] * g[output(k, image, down, across)])
            }
          }
        }
      }
      let places = [output(k, n, row, column), try #require(input(c, n, y, z)), filter(k, c, p, q)]
      for part in 0..<3 {
        let size = terms[part].reduce(0) { $0 + $1 * $1 }.squareRoot()
        // The transforms multiply by up to 100 and cancel, so errors reach hundreds of ulps of the largest term.
        let error = abs(Double(made[part][places[part]]) - terms[part].reduce(0, +))
        #expect(error <= 4e-5 * max(size, 1), "part \(part) at \(places[part]): \(error) of \(size)")
      }
    }
  }

  /// Runs a body with each number of threads, and returns what it returns.
  private func withThreads<Result>(_ body: () throws -> Result) throws -> [Result] {
    let before = Engine.threadCount
    defer { try? Engine.setThreadCount(before) }
    return try [1, 2, 3, 4, 7].map { count in
      try Engine.setThreadCount(count)
      return try body()
    }
  }

  /// Shapes with several parts and sharers: those of the models, and the smaller ones of the other tests.
  static let largeShapes = [
    Shape(images: 32, height: 16, width: 16, inputs: 32, outputs: 32),
    Shape(images: 32, height: 32, width: 32, inputs: 3, outputs: 16),
    Shape(images: 16, height: 32, width: 32, inputs: 16, outputs: 32, stride: 2),
    Shape(images: 16, height: 8, width: 8, inputs: 128, outputs: 256, stride: 2),
    Shape(images: 16, height: 8, width: 8, inputs: 256, outputs: 128, size: 1, padding: 0),
    Shape(images: 16, height: 8, width: 8, inputs: 128, outputs: 128),
    Shape(images: 8, height: 32, width: 32, inputs: 3, outputs: 64, size: 7, stride: 2, padding: 3),
  ]

  @Test(
    "A convolution and its gradients do not depend on the number of threads", arguments: shapes + largeShapes)
  func convolutionWithThreads(s: Shape) throws {
    let made = try withThreads { try results(s).made }
    #expect(made.allSatisfy { $0 == made[0] })
  }

  @Test(
    "A linear layer and its gradients match their definitions, and do not depend on the number of threads",
    arguments: [(32, 64, 10), (5, 7, 3), (128, 512, 1_000), (17, 1_030, 65), (1, 20, 16)])
  func linearLayer(rows: Int, inputs: Int, outputs: Int) throws {
    let (_, x) = try noise([1, rows * inputs, 1, 1], 1)
    let (_, w) = try noise([1, outputs * inputs, 1, 1], 2)
    let (_, b) = try noise([1, outputs, 1, 1], 3)
    let (_, g) = try noise([1, rows * outputs, 1, 1], 4)
    let all = try withThreads { () -> [[Float]] in
      let tensors = try [(x, [rows, inputs]), (w, [outputs, inputs]), (b, [outputs])].map { values, shape in
        let tensor = try Tensor(values.map(Float.init), shape: shape)
        try tensor.setRequiresGradient(true)
        return tensor
      }
      let output = try linear(tensors[0], weight: tensors[1], bias: tensors[2])
      let factor = try Tensor(g.map(Float.init), shape: [rows, outputs])
      try (output * factor).sum().backward()
      return try [output.detached()].map { try $0.floats() }
        + tensors.map { try #require(try $0.grad).floats() }
    }
    #expect(all.allSatisfy { $0 == all[0] })
    func expect(_ made: Float, _ terms: [Double], _ name: String) {
      let size = terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // Sums of n terms in float32: some sqrt(n) ulps of their size.
      #expect(
        abs(Double(made) - terms.reduce(0, +)) <= 1e-6 * max(size, 1) * Double(terms.count).squareRoot(),
        "\(name)")
    }
    var chance = SeededGenerator(seed: 7, .test, inputs)
    for _ in 0..<40 {
      let (n, i, o) = (chance.next(below: rows), chance.next(below: inputs), chance.next(below: outputs))
      expect(
        all[0][0][n * outputs + o], (0..<inputs).map { x[n * inputs + $0] * w[o * inputs + $0] } + [b[o]], "y"
      )
      expect(all[0][1][n * inputs + i], (0..<outputs).map { g[n * outputs + $0] * w[$0 * inputs + i] }, "dx")
      expect(all[0][2][o * inputs + i], (0..<rows).map { g[$0 * outputs + o] * x[$0 * inputs + i] }, "dw")
      expect(all[0][3][o], (0..<rows).map { g[$0 * outputs + o] }, "db")
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

  @Test("A linear layer without a bias has gradients")
  func linearLayerWithoutBias() throws {
    let x = try Tensor([1, 2, 3, 4], shape: [2, 2])
    let weight = try Tensor([5, 6], shape: [1, 2])
    for tensor in [x, weight] { try tensor.setRequiresGradient(true) }
    try linear(x, weight: weight).sum().backward()
    #expect(try #require(try x.grad).floats() == [5, 6, 5, 6])
    #expect(try #require(try weight.grad).floats() == [4, 6])
  }

  @Test("Batch normalisation and its gradients do not depend on the number of threads")
  func normalisationWithThreads() throws {
    let all = try withThreads { () -> [[Float]] in
      let shape = [32, 32, 16, 16]
      let images = try noise(shape, 1, mean: 3).tensor
      let factor = try noise(shape, 3).tensor
      let (weight, bias) = (try Tensor.full(0.7, shape: [32]), try Tensor.full(0.1, shape: [32]))
      for tensor in [images, weight, bias] { try tensor.setRequiresGradient(true) }
      let (mean, variance) = (try Tensor.full(1, shape: [32]), try Tensor.full(2, shape: [32]))
      let output = try batchNorm(
        images, weight: weight, bias: bias, runningMean: mean, runningVariance: variance, rectifies: true,
        training: true)
      try (output * factor).sum().backward()
      return try [output.detached(), mean, variance].map { try $0.floats() }
        + [images, weight, bias].map { try #require(try $0.grad).floats() }
    }
    #expect(all.allSatisfy { $0 == all[0] })
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
