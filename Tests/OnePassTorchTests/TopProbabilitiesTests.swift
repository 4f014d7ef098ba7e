import Foundation
import OnePassTorch
import TestSupport
import Testing

@Suite("The most probable classes") struct TopProbabilitiesTests {
  /// e^x / Σ e^x in float64, sorted.
  @Test(
    "The most probable classes have softmax probabilities in descending order",
    arguments: [(6, 5, 4), (3, 2, 2), (1, 1_000, 4), (4, 7, 1), (0, 5, 4)])
  func softmaxInFallingOrder(rows: Int, classes: Int, count: Int) throws {
    let numbers = referenceNumbers(0, count: rows * classes).map { 8 * $0 }
    let logits = try Tensor(numbers, shape: [rows, classes])
    try logits.setRequiresGradient(true)
    let (ids, probabilities) = try topProbabilities(logits, count: count)
    #expect(ids.shape == [rows, count] && probabilities.shape == [rows, count])
    #expect(!probabilities.requiresGradient)
    let (found, values) = (try ids.integers(), try probabilities.floats())
    for row in 0..<rows {
      let exponentials = numbers[row * classes..<(row + 1) * classes].map { exp(Double($0)) }
      let sum = exponentials.reduce(0, +)
      let order = exponentials.indices.sorted { exponentials[$0] > exponentials[$1] }.prefix(count)
      #expect(found[row * count..<(row + 1) * count].map { Int($0) } == Array(order))
      for (value, id) in zip(values[row * count..<(row + 1) * count], order) {
        #expect(abs(Double(value) - exponentials[id] / sum) < 1e-6)
      }
    }
  }
}
