import Foundation
import OnePassTorch
import Testing

@testable import OnePass

@Suite("Metrics") struct MetricTests {
  /// The logits and labels of five examples, in a batch of four and a batch of one.
  static let logits: [[Float]] = [
    [3, 1, 0, 0, 0, 0], [0, 2, 1, 0, 0, 0], [0, 0, 0, 5, 0, 1], [1, 2, 3, 4, 5, 6], [0, 0, 9, 0, 0, 0],
  ]
  static let labels: [Int64] = [0, 2, 3, 0, 2]

  func updated(_ metric: any Metric) throws -> (any Metric) {
    var metric = metric
    for range in [0..<4, 4..<5] {
      try metric.update(
        logits: Tensor(Self.logits[range].flatMap { $0 }, shape: [range.count, 6]),
        labels: Tensor(Array(Self.labels[range]), shape: [range.count]))
    }
    return metric
  }

  @Test("Counts are summed over mini-batches of different sizes")
  func countsAreSummedOverUnequalBatches() throws {
    #expect(try updated(TopKAccuracy(k: 1)).value == 3.0 / 5)
    #expect(try updated(TopKAccuracy(k: 2)).value == 4.0 / 5)
    #expect(try updated(TopKAccuracy(k: 5)).value == 4.0 / 5)
    #expect(TopKAccuracy(k: 1).value == nil && MeanCrossEntropy().value == nil)
  }

  @Test("The cross-entropy equals the closed formula")
  func crossEntropyIsTheClosedFormula() throws {
    let expected =
      zip(Self.logits, Self.labels).map { row, label in
        log(row.reduce(0) { $0 + exp(Double($1)) }) - Double(row[Int(label)])
      }.reduce(0, +) / 5
    let value = try #require(try updated(MeanCrossEntropy()).value)
    #expect(abs(value - expected) < 1e-5)
  }
}
