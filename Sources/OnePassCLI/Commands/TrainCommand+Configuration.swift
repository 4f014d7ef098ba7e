import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassExperiments

extension RunPreset: ExpressibleByArgument {}

extension TrainCommand {
  /// What the options ask for.
  func configuration() throws -> RunConfiguration {
    guard data.data != nil else {
      throw OnePassError(
        .usage,
        "There is no stream to train on: give --data SPEC, as in --data folder:photos/train, or `data` in the file that "
          + "--config names.")
    }
    var configuration = RunConfiguration(values: try RunConfiguration.values(of: self))
    try readClasses(into: &configuration)
    try checkPictures(configuration)
    return configuration
  }

  /// A number, or a file with names: two options of a run under one name.
  private func readClasses(into configuration: inout RunConfiguration) throws {
    guard let classes = data.classes else { return }
    configuration.data.classCount = Int(classes)
    if configuration.data.classCount == nil {
      configuration.data.classNames = try Self.readClassNames(classes)
    }
  }

  /// - Parameter path: A file, or what would be in it: no path has several lines.
  private static func readClassNames(_ path: String) throws -> [String] {
    let isText = path.contains(where: \.isNewline)
    guard let text = isText ? path : try? String(contentsOfFile: path, encoding: .utf8) else {
      throw OnePassError(
        .io, "The class names \(path) cannot be read: give a text file with a name on each line.")
    }
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    guard names.count >= 2, Set(names).count == names.count else {
      throw OnePassError(
        .badData,
        "\(isText ? "--classes" : path) does not hold two or more different class names, one on each line.")
    }
    return names
  }

  /// What was asked for in so many words is not left out in silence, as the default is.
  private func checkPictures(_ configuration: RunConfiguration) throws {
    guard let count = method.keepPictures, count != 0 else { return }
    guard configuration.memory.timeToLive == nil else {
      throw OnePassError(
        .usage, "--keep-pictures \(count) would keep images beyond --time-to-live: leave one of the two out.")
    }
    guard configuration.memory.directory == nil else {
      throw OnePassError(
        .usage,
        "--keep-pictures copies images out of RAM, and --memory-directory keeps all of them: leave it out.")
    }
  }

  /// What a list of arguments asks for, without doing it.
  /// - Throws: `OnePassError` with the sentence that the command would print.
  static func read(_ arguments: [String]) throws -> RunConfiguration {
    do {
      let command = try parse(arguments).withPreset(arguments: arguments)
      _ = try command.checkpointEvery.map { try CheckpointInterval($0) }
      try command.checkKeptCheckpoints()
      return try command.configuration()
    } catch let error as OnePassError { throw error } catch {
      guard exitCode(for: error) != .success else {
        throw OnePassError(.usage, "This is no option of a run.", cause: error)
      }
      let sentence = message(for: error).split(whereSeparator: \.isNewline).first.map(String.init)
      throw OnePassError(.usage, sentence ?? "The options make no sense.", cause: error)
    }
  }

  /// This command with the options of its preset; what the arguments say wins.
  /// - Parameter arguments: Of which this command was made.
  private func withPreset(arguments: [String]) throws -> TrainCommand {
    guard let preset else { return self }
    return try Self.parse(preset.arguments + arguments)
  }

  /// This command with the options of its preset and of the file that `--config` names; the file wins over the preset, and
  /// the command line over both.
  /// - Parameter arguments: The command line, without the program and the name of this command.
  func withFileAndPreset(arguments: [String]) throws -> TrainCommand {
    guard let config else { return try withPreset(arguments: arguments) }
    let file = try ConfigurationFile(path: config, read: Self.read)
    let all = file.arguments + arguments
    let command = try Self.parse(all).withPreset(arguments: all)
    for (option, address) in [("data", command.data.data), ("eval-data", command.data.evaluationData)] {
      guard let address, address.hasSuffix("?…") else { continue }
      throw OnePassError(
        .usage,
        "The address \(address) has lost its query, which no file of a run keeps, since it may be a signature: "
          + "give it whole with --\(option).")
    }
    return command
  }
}
