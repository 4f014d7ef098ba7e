import OnePassTorch

/// The share of examples whose label is among the k largest logits, 0 … 1.
///
/// ```swift
/// var top5 = TopKAccuracy(k: 5)
/// try top5.update(logits: try model(images, .evaluation), labels: labels)
/// print(top5.value ?? 0)
/// ```
public struct TopKAccuracy: Metric {
  /// The number of logits.
  public let k: Int
  /// The number of correctly classified examples.
  public private(set) var correct = 0
  /// The number of examples.
  public private(set) var count = 0

  /// Creates a metric without examples.
  /// - Parameter k: The number of logits, at least 1.
  public init(k: Int) {
    precondition(k > 0, "k must be at least 1.")
    self.k = k
  }

  /// The key `top5` for k = 5.
  public var name: String { "top\(k)" }

  /// Adds a mini-batch.
  public mutating func update(logits: Tensor, labels: Tensor) throws {
    correct += try correctCount(logits, labels: labels, k: k)
    count += labels.shape[0]
  }

  /// The number of correctly classified examples and the number of examples.
  public var sums: [Double] {
    get { [Double(correct), Double(count)] }
    set { (correct, count) = (Int(newValue[0]), Int(newValue[1])) }
  }

  /// The accuracy, 0 … 1; `nil` without examples.
  public var value: Double? { count == 0 ? nil : Double(correct) / Double(count) }
}
