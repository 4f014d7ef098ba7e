import OnePassTorch

/// The mean cross-entropy loss, in nats.
///
/// ```swift
/// var loss = MeanCrossEntropy()
/// try loss.update(logits: try model(images, .evaluation), labels: labels)
/// print(loss.value ?? 0)
/// ```
public struct MeanCrossEntropy: Metric {
  /// The sum of the losses, in nats.
  public private(set) var sum = 0.0
  /// The number of examples.
  public private(set) var count = 0

  /// Creates a metric without examples.
  public init() {}

  /// The key `loss`.
  public var name: String { "loss" }

  /// Adds a mini-batch.
  public mutating func update(logits: Tensor, labels: Tensor) throws {
    sum += try crossEntropy(logits, labels: labels).floats().reduce(0) { $0 + Double($1) }
    count += labels.shape[0]
  }

  /// The sum of the losses and the number of examples.
  public var sums: [Double] {
    get { [sum, Double(count)] }
    set { (sum, count) = (newValue[0], Int(newValue[1])) }
  }

  /// The mean loss in nats; `nil` without examples.
  public var value: Double? { count == 0 ? nil : sum / Double(count) }
}
