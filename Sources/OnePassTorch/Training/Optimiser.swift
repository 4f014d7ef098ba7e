import OnePassCore

/// What moves parameters along their gradients.
///
/// ``SGD`` and ``Muon`` are the two; both leave a parameter alone that has no gradient.
public protocol Optimiser: AnyObject {
  /// Moves every parameter that has a gradient.
  func step(learningRate: Double) throws

  /// Moves every parameter that has a gradient, by a learning rate that is read when the device comes to it.
  /// - Parameter learningRate: A single float32 on the parameters' device.
  func step(learningRate: Tensor) throws

  /// Drops the gradients of all parameters and their memory.
  func zeroGradients() throws

  /// The momentum of each parameter under the parameter's name.
  ///
  /// The tensors are the optimiser's own: saving them saves its state, and
  /// `stateDictionary.load(from:)` restores it.
  var stateDictionary: StateDictionary { get }
}

/// What ``SGD`` and ``Muon`` have in common: parameters with a momentum buffer each, momentum and weight decay.
public class MomentumOptimiser: Optimiser {
  /// μ, 0 ..< 1.
  public let momentum: Double
  /// Whether the step looks ahead along the momentum.
  public let nesterov: Bool
  /// λ, 0 or more.
  public let weightDecay: Double

  let trained: ParametersWithMomentum

  init(
    _ parameters: [(name: String, tensor: Tensor)], momentum: Double, nesterov: Bool, weightDecay: Double
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
    // μ·0 + g = g, so a buffer of zeros makes the first step what PyTorch's special case makes it.
    trained = try ParametersWithMomentum(parameters)
  }

  public func step(learningRate: Double) throws { try step(learningRate, held: nil) }

  public func step(learningRate: Tensor) throws { try step(0, held: learningRate) }

  private func step(_ learningRate: Double, held: Tensor?) throws {
    try withExtendedLifetime((self, held)) { try move(learningRate, held?.handle) }
  }

  /// Moves every parameter that has a gradient.
  /// - Parameters:
  ///   - learningRate: Used if `held` is `nil`.
  ///   - held: A learning rate on the device.
  func move(_ learningRate: Double, _ held: OpaquePointer?) throws {
    preconditionFailure("An optimiser moves its parameters.")
  }

  public func zeroGradients() throws { try trained.zeroGradients() }

  public var stateDictionary: StateDictionary { trained.stateDictionary }
}

/// Parameters with a momentum buffer each, as the engine's calls take them.
struct ParametersWithMomentum {
  private let names: [String]
  private let parameters: [Tensor]
  private let buffers: [Tensor]
  // The handles of the two arrays above, which keep them alive.
  let handles: [OpaquePointer]
  let bufferHandles: [OpaquePointer]

  /// - Parameter parameters: what is trained, each with the name under which its momentum is saved.
  init(_ parameters: [(name: String, tensor: Tensor)]) throws {
    names = parameters.map(\.name)
    self.parameters = parameters.map(\.tensor)
    buffers = try parameters.map { try $0.tensor.zerosLike() }
    handles = self.parameters.map(\.handle)
    bufferHandles = buffers.map(\.handle)
  }

  var count: Int64 { Int64(parameters.count) }

  func zeroGradients() throws {
    for parameter in parameters { try parameter.clearGradient() }
  }

  var stateDictionary: StateDictionary {
    StateDictionary(zip(names, buffers).map { (name: $0, tensor: $1) })
  }
}
