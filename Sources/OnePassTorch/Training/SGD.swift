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
public final class SGD {
  public let momentum: Double
  public let nesterov: Bool
  public let weightDecay: Double

  private let names: [String]
  private let parameters: [Tensor]
  private let momentumBuffers: [Tensor]
  // The handles of the two arrays above, which keep them alive.
  private let parameterHandles: [OpaquePointer]
  private let bufferHandles: [OpaquePointer]

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
    guard momentum >= 0, momentum < 1 else {
      throw OnePassError(
        .usage, "A momentum of \(momentum) is not possible: give 0 or more, and less than 1.")
    }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw OnePassError(.usage, "A weight decay of \(weightDecay) is not possible: give 0 or more.")
    }
    self.momentum = momentum
    self.nesterov = nesterov && momentum > 0
    self.weightDecay = weightDecay
    self.names = parameters.map(\.name)
    self.parameters = parameters.map(\.tensor)
    // μ·0 + g = g, so a buffer of zeros makes the first step what PyTorch's special case makes it.
    self.momentumBuffers = try parameters.map { try $0.tensor.zerosLike() }
    self.parameterHandles = self.parameters.map(\.handle)
    self.bufferHandles = self.momentumBuffers.map(\.handle)
  }

  /// Moves every parameter that has a gradient.
  public func step(learningRate: Double) throws { try step(learningRate, held: nil) }

  /// Moves every parameter that has a gradient, by a learning rate that is read when the device comes to it.
  /// - Parameter learningRate: A single float32 on the parameters' device.
  public func step(learningRate: Tensor) throws { try step(0, held: learningRate) }

  private func step(_ learningRate: Double, held: Tensor?) throws {
    try withExtendedLifetime((self, held)) {
      try perform("the step of SGD") {
        ct_sgd_step(
          parameterHandles, bufferHandles, Int64(parameters.count), learningRate, held?.handle, momentum,
          weightDecay, nesterov)
      }
    }
  }

  /// Drops the gradients of all parameters and their memory.
  public func zeroGradients() throws {
    for parameter in parameters { try parameter.clearGradient() }
  }

  /// The momentum of each parameter under the parameter's name.
  ///
  /// The tensors are the optimiser's own: saving them saves its state, and
  /// `stateDictionary.load(from:)` restores it.
  public var stateDictionary: StateDictionary {
    StateDictionary(zip(names, momentumBuffers).map { (name: $0, tensor: $1) })
  }
}
