import CTorch
import OnePassCore

/// Stochastic gradient descent with momentum, Nesterov momentum and weight decay, in one fused call per step.
///
/// Equal to `torch.optim.SGD` with dampening 0. For gradient g, parameter p, momentum μ, weight decay λ and learning rate η:
///
///     g ← g + λ·p;   b ← μ·b + g  (b = g at the first step);   p ← p − η·(g + μ·b)  (Nesterov)
///
/// Without Nesterov momentum: `p ← p − η·b`. A parameter without a gradient is not changed.
///
/// ```swift
/// let optimiser = try SGD(parameters: model.parameters, weightDecay: 1e-4)
/// try crossEntropy(model(images, .training), labels: labels).mean().backward()
/// try optimiser.step(learningRate: 0.1)
/// try optimiser.zeroGradients()
/// ```
public final class SGD: MomentumOptimiser {
  /// Creates an optimiser with zero momentum buffers.
  /// - Parameters:
  ///   - parameters: The parameters to train, each with the name under which its momentum is saved.
  ///   - momentum: μ, 0 ..< 1. Default 0.9.
  ///   - nesterov: Whether to use Nesterov momentum. Default `true` (Hu et al. 2021).
  ///   - weightDecay: λ, 0 or more, for every parameter. Default 0.
  /// - Throws: `OnePassError` (`usage`) for a value outside its range.
  public init(
    parameters: [(name: String, tensor: Tensor)], momentum: Double = 0.9, nesterov: Bool = true,
    weightDecay: Double = 0
  ) throws {
    try super.init(parameters, momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
  }

  override func move(_ learningRate: Double, _ held: OpaquePointer?) throws {
    try perform("SGD.step") {
      ct_sgd_step(
        trained.handles, trained.bufferHandles, trained.count, learningRate, held, momentum, weightDecay,
        nesterov)
    }
  }
}
