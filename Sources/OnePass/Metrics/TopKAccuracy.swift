import OnePassTorch

/// The share of examples whose label is among the k largest logits, 0 … 1.
public struct TopKAccuracy: Metric {
  public let k: Int
  public private(set) var correct = 0
  public private(set) var count = 0

  public init(k: Int) {
    precondition(k > 0, "A top-k accuracy looks at one class or more.")
    self.k = k
  }

  public var name: String { "top\(k)" }

  public mutating func update(logits: Tensor, labels: Tensor) throws {
    correct += try correctCount(logits, labels: labels, k: k)
    count += labels.shape[0]
  }

  public var sums: [Double] {
    get { [Double(correct), Double(count)] }
    set { (correct, count) = (Int(newValue[0]), Int(newValue[1])) }
  }

  public var value: Double? { count == 0 ? nil : Double(correct) / Double(count) }
}
