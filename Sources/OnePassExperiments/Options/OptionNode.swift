import OnePassCore
import Yams

/// YAML nodes of files with options: names and plain values, each with its line.
extension Node {
  /// Parses a text.
  /// - Parameters:
  ///   - source: The name of the text in messages.
  ///   - emptiness: The error for a text without a value.
  /// - Throws: `OnePassError` (`usage`) with the line of invalid YAML.
  static func compose(
    _ text: String, _ source: String, emptiness: (Place) -> OnePassError
  ) throws -> Node {
    guard !YAMLKeys.mayExplode(in: text) else { throw OnePassError.complexKeys(at: Place(source)) }
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch let error as YamlError {
      throw described(error, source)
    }
    guard let node else { throw emptiness(Place(source)) }
    return node
  }

  /// The error of libyaml in one line.
  private static func described(_ error: YamlError, _ source: String) -> OnePassError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      .invalidYAML(problem, at: Place(source, line: mark.line))
    case .duplicatedKeysInMapping(let duplicates, let context):
      .duplicateKeys(duplicates, at: Place(source, line: context.mark.line))
    default: .invalidYAML("\(error)", at: Place(source))
    }
  }

  func place(_ source: String) -> Place { Place(source, line: mark?.line) }

  /// The keys and values of a mapping, in the order of the file.
  func entries(
    _ source: String, _ contents: String
  ) throws -> [(key: (text: String, place: Place), value: Node)] {
    guard let mapping else {
      throw OnePassError.notAMapping(of: contents, at: place(source))
    }
    return try mapping.map { key, value in
      let name = try key.scalar(source, "a name")
      guard name != "<<" else { throw OnePassError.mergeKey(at: key.place(source)) }
      return ((name, key.place(source)), value)
    }
  }

  /// The options of a command in a mapping, each with a plain value.
  func options(_ source: String, of command: String = "onepass train") throws -> [TrainOption] {
    try entries(source, "options of `\(command)`").map { name, value in
      TrainOption(name.text, try value.scalar(source, name.text), at: name.place)
    }
  }

  /// The text of a plain value, unparsed.
  func scalar(_ source: String, _ name: String) throws -> String {
    guard let scalar, !scalar.string.isEmpty else {
      throw OnePassError.notAScalar(name, at: place(source))
    }
    return scalar.string
  }
}
