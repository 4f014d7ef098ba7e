import OnePassCore

extension OnePassError {
  static func impossibleRate(_ rate: Double) -> OnePassError {
    OnePassError(.usage, "--rate must be above 0 (got \(rate)).")
  }

  static func perMessageWithoutTar(_ count: Int) -> OnePassError {
    OnePassError(.usage, "--per-message \(count) requires --record tar.")
  }
}
