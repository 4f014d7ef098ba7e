import CTorch

/// Normalises each channel to mean 0 and variance 1, then scales and shifts it (Ioffe and Szegedy 2015).
///
/// In training it uses the mean and variance of the batch and updates the running statistics:
/// `running = (1 − momentum) · running + momentum · batch`, with the unbiased variance. In evaluation it uses the running
/// statistics and changes nothing. The addition and the ReLU that follow in a residual network are fused.
/// - Parameters:
///   - input: `[N, C, H, W]`, float32.
///   - weight: The scale, `[C]`.
///   - bias: The shift, `[C]`.
///   - runningMean: `[C]`, updated in training.
///   - runningVariance: `[C]`, updated in training.
///   - addend: A tensor `[N, C, H, W]` to add after normalisation, if any.
///   - rectifies: Whether ReLU is applied last.
///   - training: Whether the statistics of the batch are used.
///   - momentum: The weight of the batch in the running statistics, 0 … 1.
///   - epsilon: ε, added to the variance.
///   - group: The processes whose batches are normalised together in training. Every process must make the call, even with
///     an empty batch. A single value per channel over all processes is normalised with the running statistics. The
///     gradients of weight and bias are those of this process's batch.
/// - Precondition: In training without a group, there is more than one value per channel, since one has no variance.
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
