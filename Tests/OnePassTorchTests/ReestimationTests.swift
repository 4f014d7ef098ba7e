import OnePassTorch
import TestSupport
import Testing

@Suite struct ReestimationTests {
  /// The mean over mini-batches, by their sizes, of the mean and the unbiased variance of each channel, in float64.
  @Test func runningStatisticsBecomeMeansOverBatches() throws {
    let layer = try BatchNorm2d(2, from: Initialiser(seed: 1))
    // Whatever was there before is forgotten.
    try layer.runningMean.copy(from: Tensor([40, -7], shape: [2]))
    try layer.runningVariance.copy(from: Tensor([9, 0.1], shape: [2]))
    var (seen, means, variances) = (0, [0.0, 0.0], [0.0, 0.0])
    for (index, count) in [4, 4, 2].enumerated() {
      let values = referenceNumbers(index, count: count * 18)
      seen += count
      _ = try layer(
        Tensor(values, shape: [count, 2, 3, 3]), .reestimation(share: Double(count) / Double(seen)))
      for channel in 0..<2 {
        var mine: [Double] = []
        for image in 0..<count {
          let start = (image * 2 + channel) * 9
          mine += values[start..<start + 9].map { Double($0) }
        }
        let mean: Double = mine.reduce(0, +) / Double(mine.count)
        let squares: [Double] = mine.map { ($0 - mean) * ($0 - mean) }
        let variance: Double = squares.reduce(0, +) / Double(mine.count - 1)
        means[channel] += mean * Double(count) / 10
        variances[channel] += variance * Double(count) / 10
      }
    }
    for (tensor, expected) in [(layer.runningMean, means), (layer.runningVariance, variances)] {
      for (value, reference) in zip(try tensor.floats(), expected) {
        #expect(abs(Double(value) - reference) < 1e-6)
      }
    }
    // The batches of training are counted, these are not.
    #expect(try layer.batchesTracked.integers() == [0])
  }

  /// Meanwhile a batch is normalised by its own statistics, as in training.
  @Test func batchesAreNormalisedByThemselves() throws {
    let images = try Tensor(referenceNumbers(3, count: 72), shape: [4, 2, 3, 3])
    let outputs = try [Mode.training, .reestimation(share: 1), .evaluation].map {
      try BatchNorm2d(2, from: Initialiser(seed: 1))(images, $0).floats()
    }
    #expect(outputs[0] == outputs[1] && outputs[1] != outputs[2])
  }
}
