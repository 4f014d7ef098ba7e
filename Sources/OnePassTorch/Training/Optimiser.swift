import OnePassCore

/// An algorithm that updates parameters from their gradients: ``SGD`` or ``Muon``.
///
/// ```swift
/// func update(_ optimisers: [any Optimiser], from loss: Tensor) throws {
///   try loss.backward()
///   for optimiser in optimisers {
///     try optimiser.step(learningRate: 0.1)
///     try optimiser.zeroGradients()
///   }
/// }
/// ```
public protocol Optimiser: AnyObject {
  /// Updates every parameter that has a gradient.
  func step(learningRate: Double) throws

  /// Updates every parameter that has a gradient, with a learning rate that the device reads when it executes the step.
  /// - Parameter learningRate: A float32 scalar on the device of the parameters.
  func step(learningRate: Tensor) throws

  /// Sets the gradients of all parameters to `nil` and frees their memory.
  func zeroGradients() throws

  /// The momentum buffer of each parameter, under the name of the parameter.
  ///
  /// The tensors are not copies: writing them saves the state of the optimiser, and ``StateDictionary/load(from:)``
  /// restores it.
  var stateDictionary: StateDictionary { get }
}

/// The common base of ``SGD`` and ``Muon``: parameters with momentum buffers, momentum and weight decay.
///
/// ```swift
/// func describe(_ optimiser: MomentumOptimiser) -> String {
///   "momentum \(optimiser.momentum), weight decay \(optimiser.weightDecay)"
/// }
/// ```
public class MomentumOptimiser: Optimiser {
  /// μ, 0 ..< 1.
  public let momentum: Double
  /// Whether Nesterov momentum is used; always `false` if the momentum is 0.
  public let nesterov: Bool
  /// λ, 0 or more.
  public let weightDecay: Double

  let trained: ParametersWithMomentum

  init(
    _ parameters: [(name: String, tensor: Tensor)], momentum: Double, nesterov: Bool, weightDecay: Double
  ) throws {
    guard momentum >= 0, momentum < 1 else {
      throw OnePassError.momentumOutOfRange(momentum)
    }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw OnePassError.weightDecayOutOfRange(weightDecay)
    }
    self.momentum = momentum
    self.nesterov = nesterov && momentum > 0
    self.weightDecay = weightDecay
    // μ·0 + g = g, so with zero buffers the first step equals PyTorch's special case.
    trained = try ParametersWithMomentum(parameters)
  }

  public func step(learningRate: Double) throws { try step(learningRate, held: nil) }

  public func step(learningRate: Tensor) throws { try step(0, held: learningRate) }

  private func step(_ learningRate: Double, held: Tensor?) throws {
    try withExtendedLifetime((self, held)) { try move(learningRate, held?.handle) }
  }

  /// Updates every parameter that has a gradient.
  /// - Parameters:
  ///   - learningRate: The learning rate, unless `held` is present.
  ///   - held: A learning rate on the device.
  func move(_ learningRate: Double, _ held: OpaquePointer?) throws {
    preconditionFailure("A subclass must override move.")
  }

  public func zeroGradients() throws { try trained.zeroGradients() }

  public var stateDictionary: StateDictionary { trained.stateDictionary }
}

/// Parameters and their momentum buffers, in the form that the C interface requires.
struct ParametersWithMomentum {
  private let names: [String]
  private let parameters: [Tensor]
  private let buffers: [Tensor]
  // Handles of the tensors in the arrays above, which keep them alive.
  let handles: [OpaquePointer]
  let bufferHandles: [OpaquePointer]

  /// - Parameter parameters: The parameters to train, each with the name under which its momentum is saved.
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
