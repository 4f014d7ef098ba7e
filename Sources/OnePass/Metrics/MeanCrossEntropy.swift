import OnePassTorch

/// The mean cross-entropy of the true labels, in nats.
public struct MeanCrossEntropy: Metric {
  public private(set) var sum = 0.0
  public private(set) var count = 0

  public init() {}

  public var name: String { "loss" }

  public mutating func update(logits: Tensor, labels: Tensor) throws {
    sum += try crossEntropy(logits, labels: labels).floats().reduce(0) { $0 + Double($1) }
    count += labels.shape[0]
  }

  public var sums: [Double] {
    get { [sum, Double(count)] }
    set { (sum, count) = (newValue[0], Int(newValue[1])) }
  }

  public var value: Double? { count == 0 ? nil : sum / Double(count) }
}
