import OnePassCore

// Models that cannot be created.
extension OnePassError {
  static func unknownModel(_ name: String, known names: [String]) -> OnePassError {
    OnePassError(.usage, "--model must be one of \(names.joined(separator: ", ")) (got \(name)).")
  }

  static func classCountOutOfRange(_ classes: Int) -> OnePassError {
    OnePassError(.usage, "--classes must be at least 1 (got \(classes)).")
  }

  static func channelCountOutOfRange(_ channels: Int) -> OnePassError {
    OnePassError(.usage, "--channels must be 1 (grey) or 3 (colour) (got \(channels)).")
  }
}
