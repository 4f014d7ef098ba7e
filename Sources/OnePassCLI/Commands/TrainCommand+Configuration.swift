import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassExperiments

extension RunPreset: ExpressibleByArgument {}

extension TrainCommand {
  /// The configuration of the options.
  /// - Throws: `OnePassError` (`usage`, `io`, `badData`) for missing data, an invalid value or invalid class names.
  func configuration() throws -> RunConfiguration {
    guard data.data != nil else {
      throw OnePassError.missingData()
    }
    var configuration = RunConfiguration(
      values: try RunConfiguration.values(of: self),
      preset: try preset.map { try RunConfiguration.values(of: Self.parsed($0.arguments)) })
    try readClasses(into: &configuration)
    return configuration
  }

  /// Reads --classes, which sets one of three options of a run: a number, names from a file, or open classes.
  private func readClasses(into configuration: inout RunConfiguration) throws {
    guard let classes = data.classes else { return }
    if OpenClasses.isMeant(by: classes) {
      configuration.data.openClasses = try OpenClasses(classes)
      return
    }
    configuration.data.classCount = Int(classes)
    if configuration.data.classCount == nil {
      configuration.data.classNames = try ClassNamesFile.read(classes)
    }
  }

  /// Parses and checks arguments without training.
  /// - Throws: `OnePassError` with the message that the command would print.
  static func read(_ arguments: [String]) throws -> RunConfiguration {
    do {
      let command = try parsed(arguments)
      _ = try command.checkpointEvery.map { try CheckpointInterval($0) }
      try command.checkKeptCheckpoints()
      return try command.configuration()
    } catch let error as OnePassError { throw error } catch {
      guard exitCode(for: error) != .success else {
        throw OnePassError.notAnOptionOfARun(cause: error)
      }
      let firstLine = message(for: error).split(whereSeparator: \.isNewline).first.map(String.init)
      throw OnePassError.unparsableOptions(firstLine, cause: error)
    }
  }

  /// Parses arguments of this command, with switches replaced by their options.
  static func parsed(_ arguments: [String]) throws -> TrainCommand {
    try parse(
      arguments.map { argument in
        guard argument.hasPrefix("--"), !argument.contains("=") else { return argument }
        let isSet = !argument.hasPrefix("--no-")
        let name = String(argument.dropFirst(isSet ? 2 : 5))
        let (option, value) = RunConfiguration.canonical(name: name, value: isSet ? "true" : "false")
        return option == name || declared.declaredOptions.contains { $0.aliases.contains(name) }
          ? argument : "--\(option)=\(value)"
      })
  }

  /// This command with the options of the `--config` file, which the command line overrides.
  /// - Parameter arguments: The command line, without the program and the name of this command.
  func withFile(arguments: [String]) throws -> TrainCommand {
    guard let config else { return try Self.parsed(arguments) }
    let file = try ConfigurationFile(path: config, read: Self.read)
    let command = try Self.parsed(file.arguments + arguments)
    for (option, address) in [("data", command.data.data), ("eval-data", command.data.evaluationData)] {
      guard let address, address.hasSuffix("?…") else { continue }
      throw OnePassError.truncatedAddress(address, option: option)
    }
    return command
  }
}
