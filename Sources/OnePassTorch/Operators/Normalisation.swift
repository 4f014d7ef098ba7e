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
/// - Precondition: in training more than one value a channel; the variance of one is not a number.
/// - Throws: `OnePassError` (`engine`) if the shapes do not fit.
public func batchNorm(
  _ input: Tensor, weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
  adding addend: Tensor? = nil, rectifies: Bool = false, training: Bool, momentum: Double = 0.1,
  epsilon: Double = 1e-5
) throws -> Tensor {
  try result(of: "batchNorm", using: input, weight, bias, runningMean, runningVariance, addend) {
    ct_batch_norm(
      input.handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle,
      addend?.handle, rectifies, training, momentum, epsilon, $0)
  }
}
