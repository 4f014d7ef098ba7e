import OnePass
import OnePassCore

/// Errors of `experiment`, `evaluate` and `predict`, and of writing results.
extension OnePassError {
  static func missingGrid() -> OnePassError {
    OnePassError(
      .usage, "The grid is missing; pass a YAML file or a preset, for example --preset opin-table1.")
  }

  static func invalidMemoryBytes(_ text: String) -> OnePassError {
    OnePassError(
      .usage, "--memory-bytes must be a number of bytes with a unit, for example 500MB (got \(text)).")
  }

  static func memoryBytesWithoutPreset() -> OnePassError {
    OnePassError(
      .usage,
      "--memory-bytes is an option of the presets opin-ablations and imagenet; set storage in the grid instead."
    )
  }

  static func unknownExecutable() -> OnePassError {
    OnePassError(.engine, "The path of this program is unknown, so the cells cannot be started.")
  }

  static func failedCells(_ count: Int, of total: Int) -> OnePassError {
    OnePassError(
      .engine,
      "\(Figures.count(count)) of \(Figures.count(total, "cell")) failed (see above); "
        + "fix the cause and run the same command again.")
  }

  static func severalTablesInCSV() -> OnePassError {
    OnePassError(.usage, "--format csv requires exactly one --layout.")
  }

  /// - Parameter layouts: Names of the requested tables.
  static func noRuns(for layouts: [String]) -> OnePassError {
    OnePassError(
      .badData,
      "No finished run belongs in \(layouts.joined(separator: " or ")); list all runs with --layout variants."
    )
  }

  static func errorsWithoutOutput() -> OnePassError {
    OnePassError(.usage, "--errors requires --output.")
  }

  static func imagesNotPredicted(_ count: Int, of total: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(Figures.count(count)) of \(Figures.count(total, "image")) could not be predicted (see above); "
        + "replace or remove the images.")
  }

  static func unwritableResult(cause: any Error) -> OnePassError {
    OnePassError(
      .io, "Standard output cannot be written; free disk space or redirect it elsewhere.", cause: cause)
  }
}
