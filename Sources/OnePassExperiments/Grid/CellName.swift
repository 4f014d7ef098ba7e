import OnePass
import OnePassCore

/// The names of the folders of cells.
enum CellName {
  /// Options with their own part of the name, and the places of a memory and its keys, which do not identify a cell.
  private static let named: Set<String> = [
    "method", "replay-steps", "storage", "epochs", "memory-directory", "memory-key",
  ]

  /// The name of a cell without its seed: the method, and each option that changes the configuration.
  ///
  /// Options that repeat a default or an option of all cells are left out. The same cell therefore has the same name
  /// in every grid.
  /// - Parameters:
  ///   - options: The options that only this cell has.
  ///   - reading: Returns the configuration of the cell with a subset of these options.
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

  /// A value as part of a file name: `10%` becomes `10pct`.
  private static func slug(_ value: String) -> String {
    String(
      value.replacing("%", with: "pct").map { character in
        character.isASCII && (character.isLetter || character.isNumber || ".-".contains(character))
          ? character : "_"
      })
  }
}
