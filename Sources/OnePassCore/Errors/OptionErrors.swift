// Errors in the text or value of an option that this module reads.

extension OnePassError {
  // MARK: --storage

  static func unknownStorage(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--storage must be a share (10%), a number of examples (6000) or a size in bytes (500MB) (got \(text))."
    )
  }

  static func storageWithoutExamples(_ count: Int) -> OnePassError {
    OnePassError(
      .usage, "--storage must be at least 1 example (got \(count)); use --method naive to store nothing.")
  }

  static func storageShareOutOfRange(_ budget: StorageBudget) -> OnePassError {
    OnePassError(.usage, "--storage must be more than 0% and at most 100% of the stream (got \(budget)).")
  }

  static func storageWithoutBytes(_ budget: StorageBudget) -> OnePassError {
    OnePassError(
      .usage, "--storage must be at least 1 byte (got \(budget)); use --method naive to store nothing.")
  }

  // MARK: --subject-key

  static func unknownSubjectKey(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--subject-key must be folder, stem or json:FIELD, a field of a WebDataset sample's .json (got \(text))."
    )
  }
}
