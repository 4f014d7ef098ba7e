// Errors about the contents of a source.

extension OnePassError {
  // MARK: --strict

  /// - Parameter notices: The messages of the report.
  static func sourceIsNotWhole(_ notices: [String]) -> OnePassError {
    OnePassError(.badData, "--strict: \(notices.joined(separator: " ")) Correct the data or omit --strict.")
  }

  // MARK: --label-key

  static func unknownLabelKey(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--label-key must be cls, folder or json:FIELD for WebDataset samples, header:NAME, key or json:FIELD for "
        + "messages (got \(text)).")
  }
}
