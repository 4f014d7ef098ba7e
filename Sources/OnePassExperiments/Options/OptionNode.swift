import OnePassCore
import Yams

/// The YAML of files with options: names and plain values, each with its line.
extension Node {
  /// Reads a text.
  /// - Parameters:
  ///   - source: What the text is called in messages.
  ///   - emptiness: What to say if there is nothing in it.
  /// - Throws: `OnePassError` (`usage`) with the line of what is no YAML.
  static func compose(_ text: String, _ source: String, emptiness: String) throws -> Node {
    guard !YAMLKeys.mayExplode(in: text) else {
      throw Place(source).refusal(
        "keys that are lists or mappings are not read: write each name as plain text.")
    }
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch let error as YamlError {
      throw refusal(of: error, source)
    }
    guard let node else { throw Place(source).refusal(emptiness) }
    return node
  }

  /// libyaml's complaint, in one line.
  private static func refusal(of error: YamlError, _ source: String) -> OnePassError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      Place(source, line: mark.line).refusal("this is not YAML: \(problem).")
    case .duplicatedKeysInMapping(let duplicates, let context):
      Place(source, line: context.mark.line).refusal(
        "\(duplicates.joined(separator: ", ")) is written twice in what begins here: keep one.")
    default: Place(source).refusal("this is not YAML: \(error).")
    }
  }

  func place(_ source: String) -> Place { Place(source, line: mark?.line) }

  /// The keys and values of a mapping, in their order.
  func entries(
    _ source: String, _ contents: String
  ) throws -> [(key: (text: String, place: Place), value: Node)] {
    guard let mapping else {
      throw place(source).refusal("there should be \(contents) here, as `name: value`.")
    }
    return try mapping.map { key, value in
      let name = try key.scalar(source, "a name")
      guard name != "<<" else {
        throw key.place(source).refusal("merge keys (<<) are not read here: write the options out.")
      }
      return ((name, key.place(source)), value)
    }
  }

  /// The options of `onepass train` in a mapping, a plain value for each.
  func options(_ source: String) throws -> [TrainOption] {
    try entries(source, "options of `onepass train`").map { name, value in
      TrainOption(name.text, try value.scalar(source, name.text), at: name.place)
    }
  }

  /// The text of a plain value, as it is written.
  func scalar(_ source: String, _ name: String) throws -> String {
    guard let scalar, !scalar.string.isEmpty else {
      throw place(source).refusal("\(name) needs one plain value here.")
    }
    return scalar.string
  }
}
