import OnePass
import OnePassCore

/// How the folder of a cell is called.
enum CellName {
  /// Options that the name tells in a way of its own, and the folder of a memory, which is no part of what a cell is.
  private static let named: Set<String> = ["method", "replay-steps", "storage", "epochs", "memory-directory"]

  /// The name of a cell without its seed: the method, and each option that makes a difference.
  ///
  /// The same cell has the same name whichever grid it comes from: an option that only repeats what holds anyway
  /// is not named.
  /// - Parameters:
  ///   - options: The options that the cell has for itself.
  ///   - reading: What the cell would be with fewer of them.
  static func variant(
    of configuration: RunConfiguration, options: [TrainOption],
    reading: ([TrainOption]) throws -> RunConfiguration
  ) throws -> String {
    var parts: [String]
    switch configuration.method {
    case .naive: parts = ["naive"]
    case .multiEpoch: parts = ["multi-epoch-\(configuration.epochs)"]
    case .replay: parts = ["replay-k\(configuration.replay.steps)", slug("\(configuration.memory.storage)")]
    }
    let others = options.filter { !named.contains($0.name) }.sorted {
      ($0.name, $0.value) < ($1.name, $1.value)
    }
    for option in others where try reading(options.filter { $0 != option }) != configuration {
      switch option.value {
      case "true": parts.append(option.name)
      case "false": parts.append("no-\(option.name)")
      default: parts.append("\(option.name)-\(slug(option.value))")
      }
    }
    return parts.joined(separator: "-")
  }

  /// A value as part of a file's name: `10%` becomes `10pct`.
  private static func slug(_ value: String) -> String {
    String(
      value.replacing("%", with: "pct").map { character in
        character.isASCII && (character.isLetter || character.isNumber || ".-".contains(character))
          ? character : "_"
      })
  }
}
