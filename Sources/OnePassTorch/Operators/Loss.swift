import CTorch
import OnePassCore

/// The cross entropy −log softmax(logits)[label] of each example, not reduced.
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

/// The cross entropy −Σ q log softmax(logits) of each example with a target that is a distribution, not reduced.
/// - Parameters:
///   - logits: `[N, classes]`, float32.
///   - targets: q, `[N, classes]`, float32, 0 or more; of each example they sum to 1. No gradient flows to them.
/// - Returns: `[N]`, in nats.
/// - Throws: `OnePassError` (`engine`) if the shapes do not fit.
public func crossEntropy(_ logits: Tensor, targets: Tensor) throws -> Tensor {
  try result(of: "crossEntropy", using: logits, targets) {
    ct_cross_entropy(logits.handle, targets.handle, $0)
  }
}

/// Σ wᵢ·lossᵢ / Σ wᵢ, as a single number; the plain mean without weights.
///
/// With importance weights of mean 1 this is Σ wᵢ·lossᵢ / N, the objective of a replay batch.
/// - Parameters:
///   - losses: `[N]`.
///   - weights: `[N]`, 0 or more, not all 0; no gradient flows to them.
public func weightedMean(_ losses: Tensor, weights: Tensor? = nil) throws -> Tensor {
  guard let weights else { return try losses.mean() }
  return try (losses * weights).sum() / weights.sum()
}

extension Tensor {
  /// The position of the largest element along a dimension: the predicted class of each row of logits.
  /// - Returns: int64, this shape without the dimension.
  public func argmax(dimension: Int = 1) throws -> Tensor {
    try result(of: "argmax", using: self) { ct_argmax(handle, Int64(dimension), $0) }
  }
}

/// The likeliest classes of each row of logits, in falling order, and their probabilities.
///
/// Equal logits are ranked as libtorch's `topk` ranks them.
/// - Parameters:
///   - logits: `[N, classes]`; no gradient flows to them.
///   - count: How many are wanted, 1 … classes.
/// - Returns: Classes, int64, and probabilities, float32: `[N, count]`.
/// - Throws: `OnePassError` (`engine`) if there are not so many classes.
public func likeliest(_ logits: Tensor, count: Int) throws -> (classes: Tensor, probabilities: Tensor) {
  var classes: OpaquePointer?
  let probabilities = try result(of: "likeliest", using: logits) {
    ct_likeliest(logits.handle, Int64(count), $0, &classes)
  }
  guard let classes else { throw OnePassError(.engine, "libtorch made no tensor in likeliest.") }
  return (Tensor(owning: classes), probabilities)
}

/// How many examples have their label among their k largest logits.
///
/// Equal logits are ranked as libtorch's `topk` ranks them. A k above the number of classes counts all.
/// - Parameters:
///   - logits: `[N, classes]`.
///   - labels: `[N]`, int64.
///   - k: 1 or more.
/// - Returns: 0 … N.
/// - Complexity: waits for the device.
public func correctCount(_ logits: Tensor, labels: Tensor, k: Int = 1) throws -> Int {
  precondition(k >= 1, "A label is looked for among at least one logit.")
  let width = logits.shape.last ?? 0
  var count: Int64 = 0
  try perform("correctCount", using: logits, labels) {
    ct_correct_count(logits.handle, labels.handle, Int64(min(k, width)), &count)
  }
  return Int(count)
}
