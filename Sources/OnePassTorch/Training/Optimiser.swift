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
