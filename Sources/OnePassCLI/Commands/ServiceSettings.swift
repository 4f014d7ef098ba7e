import Foundation
import OnePass
import OnePassCore
import OnePassExperiments

/// The contents of the configuration file of a service.
package struct ServiceSettings {
  /// The options of the section `serve:`.
  package let service: [TrainOption]
  private let file: ConfigurationFile

  fileprivate init(_ path: String) throws {
    file = try ConfigurationFile(path: path, read: TrainCommand.read)
    service = file.service
    // What only a command that ends has.
    let refused = [
      "output", "resume", "continue", "extend", "dry-run", "checkpoint-every", "checkpoints-kept", "json",
      "quiet", "progress",
    ]
    for option in file.options where refused.contains(option.name) {
      throw OnePassError(
        .usage,
        "\(option.place): --\(option.name) is no option of a service, which keeps its run in serve: folder; remove it."
      )
    }
  }

  /// The options of the run.
  /// - Parameter standard: Arguments that the file overrides.
  /// - Throws: `OnePassError` as `onepass train` does.
  package func configuration(_ standard: [String]) throws -> RunConfiguration {
    try TrainCommand.read(standard + file.arguments)
  }
}

/// Reads the configuration file of a service.
/// - Throws: `OnePassError`: `io` for an unreadable file, `usage` with its line for an option that a run does not have.
package func serviceSettings(of path: String) throws -> ServiceSettings { try ServiceSettings(path) }
