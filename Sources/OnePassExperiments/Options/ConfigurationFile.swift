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
///
/// The section `serve:` has the options of `onepass serve`; `train` ignores it.
package struct ConfigurationFile: Sendable {
  /// The key of the section for a service.
  package static let serviceSection = "serve"

  package let options: [TrainOption]
  /// The options of a service, which its program checks.
  package let service: [TrainOption]

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
    let entries = try root.entries(source, "options of `onepass train`")
    service =
      try entries.first { $0.key.text == Self.serviceSection }.map {
        try $0.value.options(source, of: "onepass serve")
      } ?? []
    options = try entries.filter { $0.key.text != Self.serviceSection }.map { name, value in
      TrainOption(name.text, try value.scalar(source, name.text), at: name.place)
    }
    for option in options { try option.check(reserved: ReservedOptions.inConfiguration, read) }
  }
}
