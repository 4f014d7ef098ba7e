import OnePassTorch

/// A metric over a set of labelled examples, updated per mini-batch.
///
/// The state is sums and counts, not means, so that a smaller last mini-batch has the right weight.
///
/// ```swift
/// struct MeanLogit: Metric {
///   let name = "mean logit"
///   var sums = [0.0, 0]
///   mutating func update(logits: Tensor, labels: Tensor) throws {
///     let values = try logits.floats()
///     sums = [sums[0] + values.reduce(0) { $0 + Double($1) }, sums[1] + Double(values.count)]
///   }
///   var value: Double? { sums[1] > 0 ? sums[0] / sums[1] : nil }
/// }
/// ```
public protocol Metric {
  /// The key of the metric in results: `top1`.
  var name: String { get }

  /// Adds one mini-batch.
  /// - Parameters:
  ///   - logits: `[N, classes]`, float32.
  ///   - labels: `[N]`, int64.
  mutating func update(logits: Tensor, labels: Tensor) throws

  /// The sums and counts so far. They are added over processes that each measured a part of the examples.
  var sums: [Double] { get set }

  /// The value so far; `nil` before the first example.
  var value: Double? { get }
}
