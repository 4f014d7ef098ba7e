import CTorch
import OnePassCore

/// Returns the cross-entropy −log softmax(logits)[label] of each example, without reduction.
/// - Parameters:
///   - logits: `[N, classes]`, float32.
///   - labels: `[N]`, int64, each 0 ..< classes.
/// - Returns: `[N]`, in nats, 0 or more.
/// - Throws: `OnePassError` (`engine`) if the shapes do not fit or a label is outside the classes.
public func crossEntropy(_ logits: Tensor, labels: Tensor) throws -> Tensor {
  try result(of: "crossEntropy", using: logits, labels) {
    ct_cross_entropy(logits.handle, labels.handle, $0)
  }
}

/// Returns the cross-entropy −Σ q log softmax(logits) of each example with soft targets q, without reduction.
/// - Parameters:
///   - logits: `[N, classes]`, float32.
///   - targets: q, `[N, classes]`, float32, 0 or more and summing to 1 in each row. They receive no gradient.
/// - Returns: `[N]`, in nats.
/// - Throws: `OnePassError` (`engine`) if the shapes do not fit.
public func crossEntropy(_ logits: Tensor, targets: Tensor) throws -> Tensor {
  try result(of: "crossEntropy", using: logits, targets) {
    ct_cross_entropy(logits.handle, targets.handle, $0)
  }
}

/// Returns Σ wᵢ·lossᵢ / Σ wᵢ as a scalar, or the mean if there are no weights.
///
/// For importance weights with mean 1 this is Σ wᵢ·lossᵢ / N, the objective of a replay batch.
/// - Parameters:
///   - losses: `[N]`.
///   - weights: `[N]`, 0 or more and not all 0. They receive no gradient.
public func weightedMean(_ losses: Tensor, weights: Tensor? = nil) throws -> Tensor {
  guard let weights else { return try losses.mean() }
  return try (losses * weights).sum() / weights.sum()
}

extension Tensor {
  /// Returns the index of the largest element along a dimension, such as the predicted class of each row of logits.
  /// - Returns: Indices of type int64, in the shape of this tensor without the dimension.
  public func argmax(dimension: Int = 1) throws -> Tensor {
    try result(of: "argmax", using: self) { ct_argmax(handle, Int64(dimension), $0) }
  }
}

/// Returns the most probable classes of each row of logits, in descending order, and their softmax probabilities.
///
/// Ties are ordered as in `torch.topk`.
/// - Parameters:
///   - logits: `[N, classes]`. They receive no gradient.
///   - count: The number of classes to return per row, 1 … classes.
/// - Returns: Classes (int64) and probabilities (float32), both `[N, count]`.
/// - Throws: `OnePassError` (`engine`) if `count` exceeds the number of classes.
public func topProbabilities(_ logits: Tensor, count: Int) throws -> (classes: Tensor, probabilities: Tensor)
{
  var classes: OpaquePointer?
  let probabilities = try result(of: "topProbabilities", using: logits) {
    ct_top_probabilities(logits.handle, Int64(count), $0, &classes)
  }
  guard let classes else { throw OnePassError.libtorchReturnedNothing("topProbabilities") }
  return (Tensor(owning: classes), probabilities)
}

/// Returns the classes with the largest logits of each row, in descending order.
///
/// Ties are ordered as in `torch.topk` with the same count.
/// - Parameters:
///   - logits: `[N, classes]`. They receive no gradient.
///   - count: The number of classes to return per row, 1 … classes.
/// - Returns: Classes, `[N, count]`, int64.
/// - Throws: `OnePassError` (`engine`) if `count` exceeds the number of classes.
public func topClasses(_ logits: Tensor, count: Int) throws -> Tensor {
  try result(of: "topClasses", using: logits) { ct_top_classes(logits.handle, Int64(count), $0) }
}

/// Returns the number of examples whose label is among the k largest logits (top-k accuracy times N).
///
/// Ties are ordered as in `torch.topk`. For a k above the number of classes all examples count. Waits for the device.
/// - Parameters:
///   - logits: `[N, classes]`.
///   - labels: `[N]`, int64.
///   - k: 1 or more.
/// - Returns: 0 … N.
public func correctCount(_ logits: Tensor, labels: Tensor, k: Int = 1) throws -> Int {
  precondition(k >= 1, "k must be at least 1.")
  let width = logits.shape.last ?? 0
  var count: Int64 = 0
  try perform("correctCount", using: logits, labels) {
    ct_correct_count(logits.handle, labels.handle, Int64(min(k, width)), &count)
  }
  return Int(count)
}
