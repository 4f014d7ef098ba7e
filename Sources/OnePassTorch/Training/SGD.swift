import CTorch
import OnePassCore

/// Stochastic gradient descent with momentum, Nesterov momentum and weight decay, as one fused call a step.
///
/// Equal to `torch.optim.SGD` (dampening 0), for gradient g, parameter p, momentum μ, weight decay λ and
/// learning rate η:
///
///     g ← g + λ·p;   b ← μ·b + g  (b = g at the first step);   p ← p − η·(g + μ·b)  (Nesterov)
///
/// without Nesterov momentum `p ← p − η·b`. A parameter that has no gradient is left alone.
///
/// ```swift
/// let optimiser = try SGD(parameters: model.parameters, weightDecay: 1e-4)
/// try crossEntropy(model(images, .training), labels: labels).mean().backward()
/// try optimiser.step(learningRate: 0.1)
/// try optimiser.zeroGradients()
/// ```
public final class SGD: MomentumOptimiser {
  /// - Parameters:
  ///   - parameters: what is trained, each with the name under which its momentum is saved.
  ///   - momentum: μ, 0 ..< 1.
  ///   - nesterov: whether the step looks ahead along the momentum. Default true, as in the paper.
  ///   - weightDecay: λ, 0 or more, for every parameter. Default 0.
  /// - Throws: `OnePassError` (`usage`) for a value outside its range.
  public init(
    parameters: [(name: String, tensor: Tensor)], momentum: Double = 0.9, nesterov: Bool = true,
    weightDecay: Double = 0
  ) throws {
    try super.init(parameters, momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
  }

  override func move(_ learningRate: Double, _ held: OpaquePointer?) throws {
    try perform("the step of SGD") {
      ct_sgd_step(
        trained.handles, trained.bufferHandles, trained.count, learningRate, held, momentum, weightDecay,
        nesterov)
    }
  }
}
