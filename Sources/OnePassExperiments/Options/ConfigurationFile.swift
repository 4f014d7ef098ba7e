import Foundation
import OnePassCore
import Yams

/// The options of a run in a YAML file, as read by `onepass train --config`.
///
/// ```yaml
/// data: folder:photos/train      # as on the command line, without dashes
/// model: resnet18
/// replay-steps: 3
/// importance-weights: false      # a flag
/// output: runs/photos
/// ```
///
/// Relative paths start at the working directory of the program, as on the command line.
package struct ConfigurationFile: Sendable {
  let options: [TrainOption]

  /// The options as arguments; later arguments override them.
  package var arguments: [String] { options.map(\.argument) }

  /// Reads a file.
  /// - Parameters:
  ///   - path: The path of the YAML file.
  ///   - read: Parses the arguments of `onepass train`.
  /// - Throws: `OnePassError`: `io` for an unreadable file; `usage`, with its line, for an option that `train` would reject.
  package init(path: String, read: TrainArgumentReader) throws {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw OnePassError.unreadableConfiguration(path, cause: error)
    }
    try self.init(text: text, source: path, read: read)
  }

  /// Parses the text of a configuration.
  /// - Parameters:
  ///   - text: YAML.
  ///   - source: The name of the text in messages.
  ///   - read: Parses the arguments of `onepass train`.
  /// - Throws: `OnePassError` (`usage`), with its line, for an option that `train` would reject.
  package init(text: String, source: String, read: TrainArgumentReader) throws {
    let root = try Node.compose(text, source) { .emptyConfiguration(at: $0) }
    options = try root.options(source)
    for option in options { try option.check(reserved: ReservedOptions.inConfiguration, read) }
  }
}
