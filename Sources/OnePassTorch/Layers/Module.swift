/// Whether a forward pass is for training or evaluation; an argument of each call, not state of the model.
///
/// ```swift
/// let logits = try model(images, .evaluation)
/// ```
public enum Mode: Hashable, Sendable {
  /// Batch normalisation uses the statistics of the batch and updates the running statistics.
  case training
  /// Batch normalisation uses the running statistics and changes nothing.
  case evaluation
}

/// A tensor of a module with its name in torchvision's state dictionary.
///
/// ```swift
/// let buffers = model.namedTensors.filter { $0.role == .buffer }.map(\.name)  // ["bn1.running_mean", …]
/// ```
public struct NamedTensor {
  /// Whether a tensor is trained.
  public enum Role: Hashable, Sendable {
    /// Trained by the optimiser.
    case parameter
    /// Saved but not trained, such as running statistics.
    case buffer
  }

  /// The name, for example `layer1.0.conv1.weight`.
  public let name: String
  /// The tensor of the module, not a copy.
  public let tensor: Tensor
  /// Whether the tensor is trained.
  public let role: Role

  /// Creates a named tensor.
  public init(_ name: String, _ tensor: Tensor, _ role: Role) {
    self.name = name
    self.tensor = tensor
    self.role = role
  }

  /// Returns the same tensor named as part of a larger module: `weight` becomes `conv1.weight`.
  func under(_ prefix: String) -> NamedTensor { NamedTensor("\(prefix).\(name)", tensor, role) }
}

/// A component of a network with tensors: a layer, a block or a model.
///
/// ```swift
/// struct Head: Module {
///   let fc: Linear
///   var namedTensors: [NamedTensor] { OnePassTorch.namedTensors(of: [("fc", fc)]) }
/// }
/// ```
public protocol Module {
  /// All tensors, in the order and with the names of PyTorch's state dictionary.
  var namedTensors: [NamedTensor] { get }
}

extension Module {
  /// The trained tensors, in order.
  public var parameters: [(name: String, tensor: Tensor)] {
    namedTensors.filter { $0.role == .parameter }.map { ($0.name, $0.tensor) }
  }

  /// The tensors that are saved but not trained, in order.
  public var buffers: [(name: String, tensor: Tensor)] {
    namedTensors.filter { $0.role == .buffer }.map { ($0.name, $0.tensor) }
  }

  /// The parameters and buffers, in order; the tensors are not copies, so loading into them changes the module.
  public var stateDictionary: StateDictionary {
    StateDictionary(namedTensors.map { (name: $0.name, tensor: $0.tensor) })
  }

  /// The total number of elements of all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }
}

/// Returns the tensors of a module's components, each name prefixed with the name of its component.
public func namedTensors(of parts: [(name: String, module: any Module)]) -> [NamedTensor] {
  parts.flatMap { part in part.module.namedTensors.map { $0.under(part.name) } }
}
