import OnePass
import OnePassCore
import OnePassData

/// Errors in the arguments of `train`.
extension OnePassError {
  static func missingData() -> OnePassError {
    OnePassError(
      .usage,
      "--data is missing; pass --data SPEC, for example --data folder:photos/train, or set data in the file of --config."
    )
  }

  static func unreadableClassNames(_ path: String) -> OnePassError {
    OnePassError(
      .io,
      "--classes \(SourceRegistry.withoutSecrets(path)): the file cannot be read; pass a number or a text file with one class name per line."
    )
  }

  /// - Parameter path: The file; `nil` for names in the value of the option itself.
  static func invalidClassNames(in path: String?) -> OnePassError {
    OnePassError(
      .badData,
      "\(path.map { "--classes \($0)" } ?? "--classes"): at least two different class names are required, "
        + "one per line and each only once.")
  }

  /// - Parameters:
  ///   - lines: The numbers of the first line with this name and of the repetition.
  ///   - path: The file; `nil` for names in the value of the option itself.
  static func repeatedClassName(_ name: String, lines: (Int, Int), in path: String?) -> OnePassError {
    OnePassError(
      .badData,
      "\(path.map { "--classes \($0)" } ?? "--classes"): class name \(name) is repeated (lines \(lines.0) and \(lines.1)); "
        + "remove one of the two lines.")
  }

  static func checkpointsWithoutOutput() -> OnePassError {
    OnePassError(
      .usage, "--checkpoint-every has no effect with --output none; omit it, or pass a folder.")
  }

  static func impossibleWaitForRanks(_ text: String) -> OnePassError {
    OnePassError(
      .usage, "--wait-for-ranks must be a time of at most 24h, such as 90s, 10m or 2h (got \(text)).")
  }

  static func resumingWithoutOutput() -> OnePassError {
    OnePassError(.usage, "--resume requires --output.")
  }

  static func noDefaultOutput(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(path): the folder cannot be made; pass --output with another folder, or --output none.",
      cause: cause)
  }

  /// An address whose query was removed before it was saved.
  static func truncatedAddress(_ address: String, option: String) -> OnePassError {
    OnePassError(
      .usage,
      "--\(option) \(address): the query is missing, since it is never saved and may be a signature; "
        + "pass the whole address with --\(option).")
  }

  static func forecastOfSeveralProcesses(_ count: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--dry-run forecasts one process, and \(Figures.count(count)) were started; run it without the launcher."
    )
  }

  /// An option of the parser, such as `--help-hidden`, in a file.
  static func notAnOptionOfARun(cause: any Error) -> OnePassError {
    OnePassError(.usage, "This is not an option of a run.", cause: cause)
  }

  /// - Parameter message: The first line of the parser's message; `nil` if it is empty.
  static func unparsableOptions(_ message: String?, cause: any Error) -> OnePassError {
    OnePassError(.usage, message ?? "The options cannot be parsed.", cause: cause)
  }

  static func onRank(_ rank: Int, _ error: OnePassError) -> OnePassError {
    OnePassError(error.code, "Rank \(rank): \(error.message)", cause: error)
  }
}
