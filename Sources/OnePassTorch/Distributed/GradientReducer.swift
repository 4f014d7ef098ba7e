import CTorch
import OnePassCore

/// Sums gradients over all processes while the backward pass still computes the gradients of earlier layers.
///
/// This is the reducer of `torch.nn.parallel.DistributedDataParallel` (Li et al. 2020). Gradients are collected in buckets
/// in the order in which they are computed, and each bucket is reduced as soon as it is full. The result is a sum, not a
/// mean. So for a batch of B examples over all processes, use the loss Σ w_i ℓ_i / B over the examples of this process. After
/// `backward`, `grad` is then the gradient of the whole batch on every process.
///
/// Every process must make the same calls in the same order, even if its part of a batch is empty. Every parameter must
/// take part in every pass.
///
/// ```swift
/// let reducer = try GradientReducer(of: model.parameters.map(\.tensor), over: processes)
/// let losses = try reducer.forward { try crossEntropy(model(images, .training), labels: labels) }
/// try reducer.backward(from: losses.sum() * (1 / 128))  // for a batch of 128 over all processes
/// try optimiser.step(learningRate: 0.1)
/// try optimiser.zeroGradients()
/// ```
public final class GradientReducer {
  private let handle: OpaquePointer
  private let group: ProcessGroup
  private let parameters: [Tensor]

  /// Registers hooks on the gradients of the parameters, for the lifetime of this object.
  /// - Parameters:
  ///   - parameters: The trained parameters, the same on all processes and in the order of the forward pass; at least one.
  ///   - group: The processes over which gradients are summed.
  ///   - bucketBytes: The size of a bucket in bytes. Default 25 MiB, as in PyTorch.
  /// - Throws: `OnePassError` (`usage`) if the parameters' shapes differ between processes.
  public init(of parameters: [Tensor], over group: ProcessGroup, bucketBytes: Int = 25 << 20) throws {
    precondition(
      !parameters.isEmpty && bucketBytes > 0, "parameters must not be empty, and bucketBytes be above 0.")
    try group.ensureAgreement(of: "the model's shape", "\(parameters.map(\.shape))")
    var made: OpaquePointer?
    try withExtendedLifetime(parameters) {
      try check(
        "GradientReducer.init",
        ct_reducer_make(
          group.handle, parameters.map(\.handle), Int64(parameters.count), Int64(bucketBytes), &made))
    }
    guard let made else { throw OnePassError.libtorchReturnedNothing("GradientReducer.init") }
    handle = made
    self.group = group
    self.parameters = parameters
  }

  deinit { ct_reducer_free(handle) }

  /// Runs a forward pass; a call of ``backward(from:)`` must follow.
  /// - Parameters:
  ///   - sums: Whether the backward pass sums over all processes. If several backward passes accumulate gradients for one
  ///     update, pass `true` only for the last. It sums all gradients accumulated since they were cleared.
  ///   - pass: The forward pass.
  public func forward<Result>(sums: Bool = true, _ pass: () throws -> Result) throws -> Result {
    try group.together {
      try perform("GradientReducer.forward") { ct_reducer_prepare_forward(handle, sums) }
      let result = try pass()
      if sums { try perform("GradientReducer.forward") { ct_reducer_prepare_backward(handle) } }
      return result
    }
  }

  /// Adds the gradient of a scalar to `grad` of every parameter, and sums over all processes if `forward` was called with `sums`.
  /// - Throws: `OnePassError`: `io` if another process was lost, `engine` for any other failure.
  public func backward(from objective: Tensor) throws {
    try group.together { try objective.backward() }
  }
}
