import CTorch

/// Normalises each channel to mean 0 and variance 1, then scales and shifts it (Ioffe and Szegedy 2015).
///
/// In training it uses the batch's own mean and variance, and moves the running ones towards them:
/// `running = (1 − momentum) · running + momentum · batch`, with the unbiased variance. Otherwise it uses
/// the running ones and changes nothing. What follows a normalisation in a residual network, an addition and max(x, 0),
/// is done in the same pass over memory.
/// - Parameters:
///   - input: `[N, C, H, W]`, float32.
///   - weight: `[C]`, the scale.
///   - bias: `[C]`, the shift.
///   - runningMean: `[C]`, changed in training.
///   - runningVariance: `[C]`, changed in training.
///   - addend: `[N, C, H, W]`, added to what was normalised, if given.
///   - rectifies: whether max(x, 0) comes last.
///   - training: whether the batch's own statistics are used.
///   - momentum: how far the running statistics move, 0 … 1.
///   - epsilon: added to the variance.
///   - group: in training, the processes whose batches are taken together, however they are shared out; each has to call
///     this, also with a batch of no images. A single value a channel in all of them is normalised by the running
///     statistics. The gradients of weight and bias remain those of this process's batch.
/// - Precondition: in training without a group more than one value a channel; the variance of one is not a number.
/// - Throws: `OnePassError` (`engine`) if the shapes do not fit; `io` if another process was lost.
public func batchNorm(
  _ input: Tensor, weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
  adding addend: Tensor? = nil, rectifies: Bool = false, training: Bool, momentum: Double = 0.1,
  epsilon: Double = 1e-5, over group: ProcessGroup? = nil
) throws -> Tensor {
  func normalised() throws -> Tensor {
    try result(of: "batchNorm", using: input, weight, bias, runningMean, runningVariance, addend) {
      ct_batch_norm(
        input.handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle,
        addend?.handle, rectifies, training, momentum, epsilon, group?.handle, $0)
    }
  }
  guard let group, training else { return try normalised() }
  return try group.together(normalised)
}
