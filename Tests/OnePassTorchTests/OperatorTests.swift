import Foundation
import OnePassCore
import OnePassTorch
import Testing

/// Small cases with results derived from the definitions; the reference tests of the models cover large ones.
@Suite("Operators and their gradients") struct OperatorTests {
  /// 1, 2, … in row-major order.
  private func counting(_ shape: [Int]) throws -> Tensor {
    try Tensor((1...shape.reduce(1, *)).map(Float.init), shape: shape)
  }

  @Test("Convolution sums products over each window in both memory formats")
  func convolution() throws {
    let images = try counting([1, 1, 3, 3])
    let weight = try Tensor([1, 0, 0, -1], shape: [1, 1, 2, 2])
    let bias = try Tensor([0.5], shape: [1])
    for images in [images, try images.channelsLast()] {
      #expect(try conv2d(images, weight: weight, bias: bias).floats() == [-3.5, -3.5, -3.5, -3.5])
      // With padding 1 and stride 2 the windows cover the corners and their neighbours.
      #expect(try conv2d(images, weight: weight, stride: 2, padding: 1).floats() == [-1, -3, -7, -4])
    }
  }

  @Test("Batch normalisation uses batch statistics and updates running statistics only in training")
  func batchNormalisation() throws {
    let images = try Tensor([1, 3, 5, 7], shape: [4, 1, 1, 1])  // mean 4, variance 5, unbiased 20/3
    let (weight, bias) = (try Tensor([2], shape: [1]), try Tensor([1], shape: [1]))
    let (mean, variance) = (try Tensor([10], shape: [1]), try Tensor([4], shape: [1]))
    func normalised(training: Bool) throws -> [Float] {
      try batchNorm(
        images, weight: weight, bias: bias, runningMean: mean, runningVariance: variance, training: training,
        epsilon: 0
      ).floats()
    }
    #expect(try normalised(training: false) == [-8, -6, -4, -2])
    #expect(try mean.item == 10)
    for (value, x) in zip(try normalised(training: true), [-3.0, -1, 1, 3]) {
      #expect(abs(Double(value) - (1 + 2 * x / 5.0.squareRoot())) < 1e-5)
    }
    #expect(abs(try mean.item - 9.4) < 1e-5)
    #expect(abs(try Double(variance.item) - (3.6 + 0.1 * 20 / 3)) < 1e-5)
  }

  @Test("Pooling returns the maximum and the average")
  func pooling() throws {
    let images = try counting([1, 1, 4, 4])
    #expect(try images.maxPool2d(size: 2, stride: 2).floats() == [6, 8, 14, 16])
    #expect(try images.maxPool2d(size: 3, stride: 2, padding: 1).floats() == [6, 8, 14, 16])
    #expect(try images.adaptiveAveragePool2d().floats() == [8.5])
    #expect(try images.adaptiveAveragePool2d(height: 2, width: 1).floats() == [4.5, 12.5])
  }

  @Test("Shape operations keep or select the elements")
  func shapes() throws {
    let tensor = try counting([2, 3, 2])
    #expect(try tensor.flattened().shape == [2, 6])
    #expect(try tensor.reshaped([3, 4]).floats() == tensor.floats())
    #expect(try tensor.strided(dimension: 1, by: 2).floats() == [1, 2, 5, 6, 7, 8, 11, 12])
    #expect(try tensor.sliced(dimension: 1, from: 1, to: -1).floats() == [3, 4, 9, 10])
    #expect(try tensor.narrowed(dimension: 2, from: 1, length: 1).floats() == [2, 4, 6, 8, 10, 12])
    #expect(try tensor.padded([0, 1, 1, 0], with: -1).shape == [2, 4, 3])
    #expect(try counting([1, 2]).padded([1, 2]).floats() == [0, 1, 2, 0, 0])
    #expect(try counting([3]).selected(Tensor([2, 0, 2] as [Int64], shape: [3])).floats() == [3, 1, 3])
    #expect(try concatenated([counting([1, 2]), counting([2, 2])]).floats() == [1, 2, 1, 2, 3, 4])
  }

  @Test("Writing a row and copying change the elements in place")
  func writing() throws {
    let batch = try Tensor.zeros(shape: [2, 2])
    try batch.write(counting([2]), at: 1)
    #expect(try batch.floats() == [0, 0, 1, 2])
    let copy = try batch.copied()
    try batch.copy(from: counting([2, 2]))
    #expect(try batch.floats() == [1, 2, 3, 4])
    #expect(try copy.floats() == [0, 0, 1, 2])
  }

  @Test("Losses, their weighted mean and its gradient match their definitions")
  func losses() throws {
    let values: [Float] = [1, 2, 4, 0, 0, 0]
    let logits = try Tensor(values, shape: [2, 3])
    try logits.setRequiresGradient(true)
    let labels = try Tensor([2, 0] as [Int64], shape: [2])
    let sums = [exp(1.0) + exp(2.0) + exp(4.0), 3]
    let expected = [log(sums[0]) - 4, log(3.0)]

    let losses = try crossEntropy(logits, labels: labels)
    #expect(losses.shape == [2])
    for (loss, reference) in zip(try losses.floats(), expected) {
      #expect(abs(Double(loss) - reference) < 1e-6)
    }

    let objective = try weightedMean(losses, weights: Tensor([1, 3], shape: [2]))
    #expect(abs(try Double(objective.item) - (expected[0] + 3 * expected[1]) / 4) < 1e-6)
    #expect(abs(try Double(weightedMean(losses).item) - (expected[0] + expected[1]) / 2) < 1e-6)

    try objective.backward()
    let gradient = try #require(try logits.grad).floats()
    for (index, value) in values.enumerated() {
      let (row, column) = (index / 3, index % 3)
      let probability = exp(Double(value)) / sums[row]
      let wanted = (probability - (column == [2, 0][row] ? 1 : 0)) * [0.25, 0.75][row]
      #expect(abs(Double(gradient[index]) - wanted) < 1e-6)
    }
    for (a, b) in zip(try logits.softmax().floats(), try logits.logSoftmax().floats()) {
      #expect(abs(log(a) - b) < 1e-5)
    }
  }

  @Test("Examples whose label is among the k largest logits are counted")
  func hits() throws {
    let logits = try Tensor([3, 1, 2, 9, 8, 7, 0, 5, 1], shape: [3, 3])
    let labels = try Tensor([0, 2, 2] as [Int64], shape: [3])
    #expect(try logits.argmax().integers() == [0, 0, 1])
    #expect(try (1...4).map { try correctCount(logits, labels: labels, k: $0) } == [1, 2, 3, 3])
  }

  @Test("withoutGradient disables recording, and the previous mode is restored even after an error")
  func gradientMode() throws {
    let weight = try Tensor([2], shape: [1])
    try weight.setRequiresGradient(true)
    #expect(try !withoutGradient { try weight * weight }.requiresGradient)
    #expect(throws: OnePassError.self) {
      try withoutGradient { try withoutGradient { _ = try weight.integers() } }
    }
    #expect(try (weight * weight).requiresGradient)
    #expect(try !(weight * weight).detached().requiresGradient)

    try (weight * weight).sum().backward()
    try (weight * 3).reluInPlace().sum().backward()
    #expect(try weight.grad?.floats() == [4 + 3])
    try weight.clearGradient()
    #expect(try weight.grad == nil)
    // The elements of a parameter must not be overwritten while gradients are recorded.
    #expect(throws: OnePassError.self) { try weight.reluInPlace() }
  }
}
