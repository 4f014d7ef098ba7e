import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

extension RunPreset: ExpressibleByArgument {}

extension TrainCommand {
  /// What the options ask for.
  func configuration() throws -> RunConfiguration {
    guard let stream = data.data else {
      throw OnePassError(
        .usage,
        "There is no stream to train on: give --data SPEC, as in --data folder:photos/train, or `data` in the file that "
          + "--config names.")
    }
    var configuration = RunConfiguration(data: stream)
    try data.apply(to: &configuration)
    model.apply(to: &configuration)
    try method.apply(to: &configuration)
    storedForm.apply(to: &configuration)
    try augmentation.apply(to: &configuration)
    optimisation.apply(to: &configuration)
    recipe.apply(to: &configuration)
    configuration.device = compute.device
    precision.apply(to: &configuration)
    configuration.threads = compute.threads
    configuration.decodeThreads = decoding.decodeThreads
    return configuration
  }

  /// What a list of arguments asks for, without doing it.
  /// - Throws: `OnePassError` with the sentence that the command would print.
  static func read(_ arguments: [String]) throws -> RunConfiguration {
    do {
      let command = try parse(arguments).withPreset(arguments: arguments)
      _ = try command.checkpointEvery.map { try CheckpointInterval($0) }
      try requirePositive("--keep-checkpoints", command.keptCheckpoints)
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
