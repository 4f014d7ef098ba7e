import CTorch
import OnePassCore

/// Sums gradients over all processes while the backward pass still computes those of earlier layers.
///
/// It is the reducer of `torch.nn.parallel.DistributedDataParallel` (Li et al. 2020): gradients are gathered in buckets in
/// the order in which they come, and each bucket is summed as soon as it is full. Unlike there it makes sums, not means.
/// For mini-batches that together make up one of B examples, each process therefore trains on Σ w_i ℓ_i / B over its own
/// share: then `grad` holds after `backward`, on each process alike, what one process would have found for all B.
///
/// Every process makes the same calls in the same order, also one whose share of a mini-batch is empty, and every
/// parameter takes part in every pass.
///
/// ```swift
/// let reducer = try GradientReducer(of: model.parameters.map(\.tensor), over: processes)
/// let losses = try reducer.forward { try crossEntropy(model(images, .training), labels: labels) }
/// try reducer.backward(from: losses.sum() * (1 / 128))  // of a mini-batch of 128, over all processes
/// try optimiser.step(learningRate: 0.1)
/// try optimiser.zeroGradients()
/// ```
public final class GradientReducer {
  private let handle: OpaquePointer
  private let group: ProcessGroup
  private let parameters: [Tensor]

  /// Joins in the gradients of the parameters, for as long as this object lives.
  /// - Parameters:
  ///   - parameters: what is trained; the same on all processes, in the order of the forward pass.
  ///   - group: whose processes share the work.
  ///   - bucketBytes: how much is summed at once. Default 25 MB, as in PyTorch.
  /// - Throws: `OnePassError` (`usage`) if the parameters' shapes differ between processes.
  public init(of parameters: [Tensor], over group: ProcessGroup, bucketBytes: Int = 25 << 20) throws {
    precondition(!parameters.isEmpty && bucketBytes > 0, "There is something to sum.")
    try group.ensureAgreement(of: "the model's shape", "\(parameters.map(\.shape))")
    var made: OpaquePointer?
    try withExtendedLifetime(parameters) {
      try check(
        "the reducer",
        ct_reducer_make(
          group.handle, parameters.map(\.handle), Int64(parameters.count), Int64(bucketBytes), &made))
    }
    guard let made else { throw OnePassError(.engine, "libtorch made no reducer.") }
    handle = made
    self.group = group
    self.parameters = parameters
  }

  deinit { ct_reducer_free(handle) }

  /// Runs a forward pass that a call of `backward` follows.
  /// - Parameters:
  ///   - sums: whether the backward pass ends with sums over all processes. Where one update is made of several
  ///     backward passes, only the last of them sums; it sums all that was gathered since the gradients were cleared.
  ///   - pass: the forward pass.
  public func forward<Result>(sums: Bool = true, _ pass: () throws -> Result) throws -> Result {
    try group.together {
      try perform("the forward pass") { ct_reducer_prepare_forward(handle, sums) }
      let result = try pass()
      if sums { try perform("the forward pass") { ct_reducer_prepare_backward(handle) } }
      return result
    }
  }

  /// Adds the gradient of a single number to `grad` of every parameter, and sums over all processes if `forward` said so.
  /// - Throws: `OnePassError`, among others if another process was lost.
  public func backward(from objective: Tensor) throws {
    try group.together { try objective.backward() }
  }
}
