import CTorch
import OnePassCore

/// Momentum orthogonalised by Newton and Schulz (Jordan et al. 2024): for the filters and matrices inside of a network.
///
/// Equal to `torch.optim.Muon` (its own rule for the rate, five Newton-Schulz steps), for gradient G, parameter W, momentum
/// μ, weight decay λ and learning rate η:
///
///     B ← μ·B + (1 − μ)·G;   D = μ·B + (1 − μ)·G  (Nesterov)
///     W ← (1 − η·λ)·W − η · √max(1, rows / columns) · NS(D)
///
/// NS turns a matrix U·S·Vᵀ into nearly U·Vᵀ, so that every direction of an update is about as large. Filters
/// `[out, in, kH, kW]` are matrices `[out, in·kH·kW]`. The weight decay is decoupled from the gradient. PyTorch's computes
/// NS in bfloat16; here it is float32, on every device.
///
/// Source: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
///
/// ```swift
/// let filters = model.parameters.filter { $0.tensor.shape.count == 4 }
/// let optimiser = try Muon(parameters: filters, momentum: 0.9)
/// try crossEntropy(model(images, .training), labels: labels).mean().backward()
/// try optimiser.step(learningRate: 0.02)
/// try optimiser.zeroGradients()
/// ```
public final class Muon: MomentumOptimiser {
  /// - Parameters:
  ///   - parameters: what is trained, each with the name under which its momentum is saved; matrices or filters.
  ///   - momentum: μ, 0 ..< 1. Default 0.95.
  ///   - nesterov: whether the step looks ahead along the momentum. Default true.
  ///   - weightDecay: λ, 0 or more. Default 0.
  /// - Throws: `OnePassError` (`usage`) for a value outside its range, or a parameter that is neither.
  public init(
    parameters: [(name: String, tensor: Tensor)], momentum: Double = 0.95, nesterov: Bool = true,
    weightDecay: Double = 0
  ) throws {
    if let other = parameters.first(where: { ![2, 4].contains($0.tensor.shape.count) }) {
      throw OnePassError(
        .usage,
        "Muon is for matrices and filters, and \(other.name) has the shape \(other.tensor.shape): use SGD for it."
      )
    }
    try super.init(parameters, momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
  }

  override func move(_ learningRate: Double, _ held: OpaquePointer?) throws {
    try perform("the step of Muon") {
      ct_muon_step(
        trained.handles, trained.bufferHandles, trained.count, learningRate, held, momentum, weightDecay,
        nesterov)
    }
  }
}
