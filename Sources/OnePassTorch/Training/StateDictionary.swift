import OnePassCore

/// An ordered dictionary of named tensors: the weights of a model, or the momentum of an optimiser.
///
/// It refers to the tensors of the model or optimiser, so loading into it changes them.
///
/// ```swift
/// try model.stateDictionary.write(to: "model.safetensors")
/// try model.stateDictionary.load(from: StateDictionary(safetensors: "model.safetensors"))
/// ```
public struct StateDictionary {
  /// A named tensor.
  public typealias Entry = (name: String, tensor: Tensor)

  /// The tensors with their names, in order.
  public private(set) var entries: [Entry] = []
  private var positions: [String: Int] = [:]

  /// Creates a dictionary with the given entries, in their order.
  /// - Precondition: The names are unique.
  public init(_ entries: [Entry] = []) {
    self.entries = entries
    positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  /// The names of the tensors, in order.
  public var names: [String] { entries.map(\.name) }

  /// The number of tensors.
  public var count: Int { entries.count }

  /// The tensor with the given name; a new name is appended.
  public subscript(name: String) -> Tensor? {
    get { positions[name].map { entries[$0].tensor } }
    set {
      switch (positions[name], newValue) {
      case (let position?, let tensor?): entries[position].tensor = tensor
      case (nil, let tensor?):
        positions[name] = entries.count
        entries.append((name, tensor))
      case (_?, nil): self = StateDictionary(entries.filter { $0.name != name })
      case (nil, nil): break
      }
    }
  }

  /// Copies the values of `source` into these tensors, across devices, or changes nothing if any of them does not fit.
  /// - Throws: `OnePassError` (`badData`) with the names that are missing, unexpected, or of another shape or type.
  public func load(from source: StateDictionary) throws {
    if let misfit = misfit(of: source) { throw OnePassError.weightsDoNotFit(misfit) }
    for entry in entries {
      if let other = source[entry.name] { try entry.tensor.copy(from: other) }
    }
  }

  /// Adds rows to the first dimension of a tensor, and clears its gradient.
  /// - Throws: `OnePassError` (`engine`) if their shape does not fit.
  /// - Precondition: There is a tensor with this name.
  package func grow(_ name: String, by rows: Tensor) throws {
    guard let tensor = self[name] else { preconditionFailure("There must be a tensor named \(name).") }
    try tensor.append(rows: rows)
  }

  /// Describes why `source` cannot be loaded into these tensors, for example `lack fc.bias`; `nil` if it can.
  /// - Returns: Verb phrases for an error message whose subject is the tensors of `source`.
  public func misfit(of source: StateDictionary) -> String? {
    let missing = names.filter { source[$0] == nil }
    let unexpected = source.names.filter { self[$0] == nil }
    let misshaped = entries.compactMap { entry -> String? in
      guard let other = source[entry.name] else { return nil }
      if other.elementType != entry.tensor.elementType {
        return "\(entry.name) (\(other.elementType) instead of \(entry.tensor.elementType))"
      }
      return other.shape == entry.tensor.shape
        ? nil : "\(entry.name) (\(other.shape) instead of \(entry.tensor.shape))"
    }
    let differences = [
      Self.list("lack", missing), Self.list("have the unexpected", unexpected),
      Self.list("differ in shape or type in", misshaped),
    ].compactMap { $0 }
    return differences.isEmpty ? nil : differences.joined(separator: ", ")
  }

  /// Returns the first three names and the number of the others; `nil` if there are no names.
  private static func list(_ verb: String, _ names: [String]) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(3).joined(separator: ", ")
    return "\(verb) \(shown)" + (names.count > 3 ? " and \(names.count - 3) more" : "")
  }
}
