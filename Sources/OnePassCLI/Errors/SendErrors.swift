import OnePassCore

extension OnePassError {
  static func impossibleRate(_ rate: Double) -> OnePassError {
    OnePassError(.usage, "--rate must be above 0 (got \(rate)).")
  }

  static func keyOfSeveralExamples() -> OnePassError {
    OnePassError(
      .usage, "--key requires messages of one example; omit it, or pass another --record than tar.")
  }

  static func noNamesToSend(_ source: String) -> OnePassError {
    OnePassError(.usage, "\(source) has no class names; omit --names.")
  }

  static func perMessageWithoutTar(_ count: Int) -> OnePassError {
    OnePassError(.usage, "--per-message \(count) requires --record tar.")
  }
}
