import OnePassCore

/// Tensors under names, in a fixed order: a model's weights, or an optimiser's momentum.
///
/// It refers to the tensors of the model or optimiser that it was made from, so loading into it changes them.
///
/// ```swift
/// try model.stateDictionary.write(to: "model.safetensors")
/// try model.stateDictionary.load(from: StateDictionary(safetensors: "model.safetensors"))
/// ```
public struct StateDictionary {
  public typealias Entry = (name: String, tensor: Tensor)

  public private(set) var entries: [Entry] = []
  private var positions: [String: Int] = [:]

  /// - Precondition: no name occurs twice.
  public init(_ entries: [Entry] = []) {
    self.entries = entries
    positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  public var names: [String] { entries.map(\.name) }

  public var count: Int { entries.count }

  /// The tensor with this name; a new name is put at the end.
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

  /// Copies the values of `source` into these tensors, across devices; changes nothing unless all fit.
  /// - Throws: `OnePassError` (`badData`) that says which names are missing, not expected, or of another shape.
  public func load(from source: StateDictionary) throws {
    if let misfit = misfit(of: source) {
      throw OnePassError(
        .badData,
        "The saved weights do not fit this model, for they \(misfit):"
          + " use the model, classes and channels with which they were saved.")
    }
    for entry in entries {
      if let other = source[entry.name] { try entry.tensor.copy(from: other) }
    }
  }

  /// What keeps `source` from being loaded into these tensors, as the middle of a sentence; `nil` if it fits.
  /// - Parameter source: Tensors that may have other names, shapes or types.
  public func misfit(of source: StateDictionary) -> String? {
    let missing = names.filter { source[$0] == nil }
    let unexpected = source.names.filter { self[$0] == nil }
    let misshaped = entries.compactMap { entry -> String? in
      guard let other = source[entry.name] else { return nil }
      if other.elementType != entry.tensor.elementType {
        return "\(entry.name) (\(other.elementType), here \(entry.tensor.elementType))"
      }
      return other.shape == entry.tensor.shape
        ? nil : "\(entry.name) (\(other.shape), here \(entry.tensor.shape))"
    }
    let complaints = [
      Self.list("lack", missing), Self.list("have as unexpected names", unexpected),
      Self.list("have in another shape or type", misshaped),
    ].compactMap { $0 }
    return complaints.isEmpty ? nil : complaints.joined(separator: "; they ")
  }

  /// A few names and how many more there are, or nothing for no names.
  private static func list(_ verb: String, _ names: [String]) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(3).joined(separator: ", ")
    return "\(verb) \(shown)" + (names.count > 3 ? " and \(names.count - 3) more" : "")
  }
}
