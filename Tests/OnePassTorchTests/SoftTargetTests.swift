import Foundation
import OnePassTorch
import TestSupport
import Testing

/// Compares losses with soft targets with `torch.nn.functional.cross_entropy` in float64.
@Suite("Cross-entropy with soft targets") struct SoftTargetTests {
  struct Reference: Decodable {
    let labels: [Int]
    let smoothed: [Double]
    let smoothedGradient: [Double]
    let targets: [Double]
    let soft: [Double]
  }

  let reference: Reference
  let logits: Tensor

  init() throws {
    reference = try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: fixture("soft_targets.json")))
    logits = try Tensor(referenceNumbers(0, count: 30).map { 3 * $0 }, shape: [6, 5])
    try logits.setRequiresGradient(true)
  }

  @Test("The loss of smoothed labels matches PyTorch")
  func smoothedLabels() throws {
    var targets = [Float](repeating: 0.02, count: 30)
    for (row, label) in reference.labels.enumerated() { targets[5 * row + label] = 0.92 }
    let losses = try crossEntropy(logits, targets: Tensor(targets, shape: [6, 5]))
    for (loss, expected) in zip(try losses.floats(), reference.smoothed) {
      #expect(abs(Double(loss) - expected) < 2e-6)
    }
    try losses.sum().backward()
    let gradient = try #require(try logits.grad)
    for (value, expected) in zip(try gradient.floats(), reference.smoothedGradient) {
      #expect(abs(Double(value) - expected) < 1e-6)
    }
  }

  @Test("The loss of any target distribution matches PyTorch")
  func anyDistribution() throws {
    let losses = try crossEntropy(
      logits, targets: Tensor(reference.targets.map { Float($0) }, shape: [6, 5]))
    for (loss, expected) in zip(try losses.floats(), reference.soft) {
      #expect(abs(Double(loss) - expected) < 2e-6)
    }
  }
}
