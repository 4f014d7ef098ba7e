import CTorch
import OnePassCore

/// The Muon optimiser, SGD with momentum orthogonalised by Newton-Schulz iterations, for hidden matrices and filters.
///
/// Equal to `torch.optim.Muon` with its original learning rate adjustment and five Newton-Schulz iterations. For gradient G,
/// parameter W, momentum μ, weight decay λ and learning rate η:
///
///     B ← μ·B + (1 − μ)·G;   D = μ·B + (1 − μ)·G  (Nesterov)
///     W ← (1 − η·λ)·W − η · √max(1, rows / columns) · NS(D)
///
/// NS maps a matrix U·S·Vᵀ approximately to U·Vᵀ, so that an update has about the same size in every direction. Filters
/// `[out, in, kH, kW]` are treated as matrices `[out, in·kH·kW]`. The weight decay is decoupled from the gradient. PyTorch
/// computes NS in bfloat16; this implementation uses float32 on every device.
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
  /// Creates an optimiser with zero momentum buffers.
  /// - Parameters:
  ///   - parameters: The matrices and filters to train, each with the name under which its momentum is saved.
  ///   - momentum: μ, 0 ..< 1. Default 0.95.
  ///   - nesterov: Whether to use Nesterov momentum. Default `true`.
  ///   - weightDecay: λ, 0 or more. Default 0.
  /// - Throws: `OnePassError` (`usage`) for a value outside its range, or a parameter that is neither a matrix nor filters.
  public init(
    parameters: [(name: String, tensor: Tensor)], momentum: Double = 0.95, nesterov: Bool = true,
    weightDecay: Double = 0
  ) throws {
    if let other = parameters.first(where: { ![2, 4].contains($0.tensor.shape.count) }) {
      throw OnePassError.notAMatrix(other.name, shape: other.tensor.shape)
    }
    try super.init(parameters, momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
  }

  override func move(_ learningRate: Double, _ held: OpaquePointer?) throws {
    try perform("Muon.step") {
      ct_muon_step(
        trained.handles, trained.bufferHandles, trained.count, learningRate, held, momentum, weightDecay,
        nesterov)
    }
  }
}
