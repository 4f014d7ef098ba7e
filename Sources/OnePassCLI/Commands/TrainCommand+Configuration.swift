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
    var configuration = RunConfiguration(values: try RunConfiguration.values(of: self))
    try readClasses(into: &configuration)
    try checkPictures(configuration)
    return configuration
  }

  /// Reads --classes, which sets one of two options of a run: a number, or names from a file.
  private func readClasses(into configuration: inout RunConfiguration) throws {
    guard let classes = data.classes else { return }
    configuration.data.classCount = Int(classes)
    if configuration.data.classCount == nil {
      configuration.data.classNames = try Self.readClassNames(classes)
    }
  }

  /// - Parameter path: A path, or the names themselves: text of several lines is not a path.
  private static func readClassNames(_ path: String) throws -> [String] {
    let isText = path.contains(where: \.isNewline)
    guard let text = isText ? path : try? String(contentsOfFile: path, encoding: .utf8) else {
      throw OnePassError.unreadableClassNames(path)
    }
    let file = isText ? nil : path
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    var numbers: [String: Int] = [:]
    for (number, name) in zip(1..., lines) where !name.isEmpty {
      if let first = numbers.updateValue(number, forKey: name) {
        throw OnePassError.repeatedClassName(name, lines: (first, number), in: file)
      }
    }
    let names = lines.filter { !$0.isEmpty }
    guard names.count >= 2 else { throw OnePassError.invalidClassNames(in: file) }
    return names
  }

  /// Rejects an explicit --keep-pictures that cannot be honoured; the default is dropped without an error.
  private func checkPictures(_ configuration: RunConfiguration) throws {
    guard let count = method.keepPictures, count != 0 else { return }
    guard configuration.memory.timeToLive == nil else {
      throw OnePassError.keptImagesExceedTimeToLive(count)
    }
    guard configuration.memory.directory == nil else {
      throw OnePassError.keptImagesAreOnDisk(count)
    }
  }

  /// Parses and checks arguments without training.
  /// - Throws: `OnePassError` with the message that the command would print.
  static func read(_ arguments: [String]) throws -> RunConfiguration {
    do {
      let command = try parse(arguments).withPreset(arguments: arguments)
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

  /// This command with the options of its preset, which the arguments override.
  /// - Parameter arguments: The arguments that were parsed to this command.
  private func withPreset(arguments: [String]) throws -> TrainCommand {
    guard let preset else { return self }
    return try Self.parse(preset.arguments + arguments)
  }

  /// This command with the options of its preset and of the `--config` file.
  ///
  /// The file overrides the preset, and the command line overrides both.
  /// - Parameter arguments: The command line, without the program and the name of this command.
  func withFileAndPreset(arguments: [String]) throws -> TrainCommand {
    guard let config else { return try withPreset(arguments: arguments) }
    let file = try ConfigurationFile(path: config, read: Self.read)
    let all = file.arguments + arguments
    let command = try Self.parse(all).withPreset(arguments: all)
    for (option, address) in [("data", command.data.data), ("eval-data", command.data.evaluationData)] {
      guard let address, address.hasSuffix("?…") else { continue }
      throw OnePassError.truncatedAddress(address, option: option)
    }
    return command
  }
}
