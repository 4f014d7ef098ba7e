import OnePassTorch

/// The accuracy on the examples of some classes, among all classes of the model.
struct ClassesAccuracy: Metric {
  let name: String
  private let labels: Set<Int>
  var sums = [0.0, 0]

  init(_ name: String, labels: [Int]) { (self.name, self.labels) = (name, Set(labels)) }

  mutating func update(logits: Tensor, labels truth: Tensor) throws {
    for (predicted, label) in zip(try logits.argmax().integers(), try truth.integers())
    where labels.contains(Int(label)) {
      sums[0] += predicted == label ? 1 : 0
      sums[1] += 1
    }
  }

  var value: Double? { sums[1] > 0 ? sums[0] / sums[1] : nil }
}
