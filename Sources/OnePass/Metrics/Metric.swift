import OnePassTorch

/// A figure over a set of labelled examples, gathered batch by batch.
///
/// The state holds sums and counts, never means, so that a smaller last batch weighs what it should.
public protocol Metric {
  /// The key under which the figure is reported: `top1`.
  var name: String { get }

  /// Takes in one mini-batch.
  /// - Parameters:
  ///   - logits: `[N, classes]`, float32.
  ///   - labels: `[N]`, int64.
  mutating func update(logits: Tensor, labels: Tensor) throws

  /// What it has gathered: sums and counts, which may be added up over processes that each saw a part of the examples.
  var sums: [Double] { get set }

  /// The figure so far; `nil` before the first example.
  var value: Double? { get }
}
