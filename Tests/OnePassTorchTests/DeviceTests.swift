import Foundation
import OnePassCore
import OnePassTorch
import TestSupport
import Testing

@Suite("Device copies, recorded work and mixed precision") struct DeviceTests {
  final class Levels {
    let memory: UnsafeMutablePointer<UInt8>
    let count: Int

    init(_ levels: [UInt8]) {
      count = levels.count
      memory = .allocate(capacity: count)
      memory.initialize(from: levels, count: count)
    }

    deinit { memory.deallocate() }
  }

  @Test("Levels are normalised to (level / 255 − mean) / deviation, and their memory is released")
  func levels() throws {
    let (mean, deviation): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    let normalise = try LevelNormaliser(mean: mean, deviation: deviation, on: .cpu)
    let values = (0..<2 * 3 * 5 * 4).map { UInt8(truncatingIfNeeded: $0 * 37) }
    weak var owner: Levels?
    let images = try {
      let levels = Levels(values)
      owner = levels
      return try normalise(levels.memory, shape: [2, 3, 5, 4], owner: levels)
    }()
    #expect(owner == nil)
    #expect(images.shape == [2, 3, 5, 4] && images.isChannelsLast)
    let result = try images.floats()
    for (place, value) in result.enumerated() {
      let (image, channel, pixel) = (place / 60, place / 20 % 3, place % 20)
      let level = Float(values[image * 60 + pixel * 3 + channel])
      // Two rounding errors of numbers below 3.
      #expect(abs(value - (level / 255 - mean[channel]) / deviation[channel]) < 1e-6)
    }
  }

  @Test("Fetched values do not change when the tensor is overwritten later")
  func fetched() throws {
    let tensor = try Tensor([1, 2, 3, 4], shape: [2, 2])
    let (floats, indices) = (try tensor.fetched(), try tensor.argmax().fetched())
    try tensor.copy(from: .zeros(shape: [2, 2]))
    #expect(try floats.floats() == [1, 2, 3, 4])
    #expect(try indices.integers() == [1, 1])
    #expect(throws: OnePassError.self) { try floats.integers() }
  }

  @Test("On the CPU a graph runs its work at each launch and not when it is created")
  func graph() throws {
    let input = try Tensor([1, 2], shape: [2])
    var sums: [Float] = []
    let graph = try DeviceGraph(on: .cpu) { sums.append(try input.sum().item) }
    #expect(sums == [])
    try graph.launch()
    try input.copy(from: Tensor([10, 20], shape: [2]))
    try graph.launch()
    #expect(sums == [3, 30])
  }

  @Test("The CPU is always idle and supports float32")
  func cpuIsIdle() throws {
    try Engine.prepare(.cpu)
    #expect(try Engine.isIdle(.cpu))
    #expect(Device.cpu.supports(.float32))
  }

  struct Autocast: Decodable {
    struct Run: Decodable {
      let losses: [Float]
      let filters: [Float]
      let scale: [Float]
      let weight: [Float]
      let mean: [Float]
    }
    let float32: Run
    let bfloat16: Run
  }

  static func run(_ precision: Precision) throws -> [[Float]] {
    let images = try Tensor(referenceNumbers(0, count: 8 * 16 * 64), shape: [8, 16, 8, 8]).channelsLast()
    let filters = try Tensor(
      referenceNumbers(1, count: 16 * 16 * 9).map { Float(Double($0) * 0.2) }, shape: [16, 16, 3, 3]
    ).channelsLast()
    let scale = try Tensor(referenceNumbers(2, count: 16).map { Float(1 + 0.5 * Double($0)) }, shape: [16])
    let shift = try Tensor(referenceNumbers(3, count: 16), shape: [16])
    let weight = try Tensor(referenceNumbers(4, count: 80), shape: [5, 16])
    let bias = try Tensor(referenceNumbers(5, count: 5), shape: [5])
    let (mean, variance) = (try Tensor.zeros(shape: [16]), try Tensor.full(1, shape: [16]))
    for parameter in [filters, scale, shift, weight, bias] { try parameter.setRequiresGradient(true) }
    let losses = try withPrecision(precision, on: .cpu) {
      let x = try batchNorm(
        conv2d(images, weight: filters, padding: 1), weight: scale, bias: shift, runningMean: mean,
        runningVariance: variance, rectifies: true, training: true)
      let pooled = try x.adaptiveAveragePool2d().flattened()
      let labels = try Tensor((0..<8).map { Int64($0 % 5) }, shape: [8])
      return try crossEntropy(linear(pooled, weight: weight, bias: bias), labels: labels)
    }
    try losses.mean().backward()
    var values = try [losses, filters.grad, scale.grad, weight.grad, mean].map { try $0?.floats() ?? [] }
    values[1] = stride(from: 0, to: values[1].count, by: 37).map { values[1][$0] }
    return values
  }

  /// The largest difference relative to the largest number.
  static func distance(_ a: [[Float]], _ b: Autocast.Run) -> Float {
    zip(a, [b.losses, b.filters, b.scale, b.weight, b.mean]).map { mine, theirs in
      guard mine.count == theirs.count else { return .infinity }
      return zip(mine, theirs).map { abs($0 - $1) }.max()! / theirs.map(abs).max()!
    }.max()!
  }

  static let hasBFloat16 = Device.cpu.supports(.bfloat16)

  /// bfloat16 has 8 bits of precision. Sums in a different order may differ by one rounding, 2^-8 of the largest.
  @Test(
    "Mixed precision matches PyTorch's autocast", .enabled(if: hasBFloat16, "no bfloat16 here"))
  func mixedPrecision() throws {
    let reference = try JSONDecoder().decode(Autocast.self, from: Data(contentsOf: fixture("autocast.json")))
    let mixed = try Self.run(.bfloat16)
    #expect(Self.distance(mixed, reference.bfloat16) < 0x1p-8)
    // The first run used bfloat16, and its mode has ended.
    #expect(Self.distance(mixed, reference.float32) > 0x1p-9)
    #expect(Self.distance(try Self.run(.float32), reference.float32) < 1e-5)
  }
}
