import Foundation
import OnePassCore
import Yams

/// Options of a run in a YAML file, as `onepass train --config` takes them.
///
/// ```yaml
/// data: folder:photos/train      # as on the command line, without dashes
/// model: resnet18
/// replay-steps: 3
/// importance-weights: false      # a switch
/// output: runs/photos
/// ```
///
/// Paths mean what they mean on the command line: they start from where the program is started.
package struct ConfigurationFile: Sendable {
  let options: [TrainOption]

  /// The options as arguments. Whatever follows them wins.
  package var arguments: [String] { options.map(\.argument) }

  /// What is no part of a run.
  private static let reserved = [
    "config": "a file does not name another", "dry-run": "say --dry-run on the command line",
    "help": "it is no option of a run", "version": "it is no option of a run",
  ]

  /// - Parameter read: Understands the arguments of `onepass train`.
  /// - Throws: `OnePassError`: `io` if the file cannot be read; `usage` with the line of what `train` would refuse.
  package init(path: String, read: TrainArgumentReader) throws {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw OnePassError(
        .io, "The configuration \(path) cannot be read as text (UTF-8): give a YAML file.", cause: error)
    }
    try self.init(text: text, source: path, read: read)
  }

  /// - Parameters:
  ///   - source: What the text is called in messages.
  ///   - read: Understands the arguments of `onepass train`.
  package init(text: String, source: String, read: TrainArgumentReader) throws {
    let root = try Node.compose(
      text, source, emptiness: "the configuration is empty: add options of `onepass train`, as `name: value`."
    )
    options = try root.options(source)
    for option in options { try option.check(reserved: Self.reserved, read) }
  }
}
