/// Whether a forward pass trains or only predicts; always passed, never hidden in the model.
public enum Mode: Hashable, Sendable {
  /// Batch normalisation uses the batch's statistics and moves its running ones.
  case training
  /// Batch normalisation uses its running statistics; nothing changes.
  case evaluation
}

/// A tensor of a module under the name that torchvision's state dictionary gives it.
public struct NamedTensor {
  public enum Role: Hashable, Sendable {
    /// Trained by the optimiser.
    case parameter
    /// Saved but not trained: running statistics.
    case buffer
  }

  public let name: String
  public let tensor: Tensor
  public let role: Role

  public init(_ name: String, _ tensor: Tensor, _ role: Role) {
    self.name = name
    self.tensor = tensor
    self.role = role
  }

  /// The same tensor as part of a larger module: `weight` becomes `conv1.weight`.
  func under(_ prefix: String) -> NamedTensor { NamedTensor("\(prefix).\(name)", tensor, role) }
}

/// A part of a network that holds tensors: a layer, a block, a model.
public protocol Module {
  /// All tensors in the order and under the names of PyTorch's state dictionary.
  var namedTensors: [NamedTensor] { get }
}

extension Module {
  /// What the optimiser trains, in order.
  public var parameters: [(name: String, tensor: Tensor)] {
    namedTensors.filter { $0.role == .parameter }.map { ($0.name, $0.tensor) }
  }

  /// What is saved but not trained, in order.
  public var buffers: [(name: String, tensor: Tensor)] {
    namedTensors.filter { $0.role == .buffer }.map { ($0.name, $0.tensor) }
  }

  /// Parameters and buffers in order; the tensors are the module's own, so loading into it changes the module.
  public var stateDictionary: StateDictionary {
    StateDictionary(namedTensors.map { (name: $0.name, tensor: $0.tensor) })
  }

  /// The number of trained numbers.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }
}

/// The tensors of a module's parts, each under its part's name.
public func namedTensors(of parts: [(name: String, module: any Module)]) -> [NamedTensor] {
  parts.flatMap { part in part.module.namedTensors.map { $0.under(part.name) } }
}
