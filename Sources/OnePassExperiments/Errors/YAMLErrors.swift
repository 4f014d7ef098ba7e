import OnePassCore

/// Errors in the YAML of grids and configurations.
extension OnePassError {
  static func invalidYAML(_ problem: String, at place: Place) -> OnePassError {
    at(place, "invalid YAML: \(problem).")
  }

  static func complexKeys(at place: Place) -> OnePassError {
    at(place, "keys that are lists or mappings are not supported; write each key as plain text.")
  }

  static func duplicateKeys(_ keys: [String], at place: Place) -> OnePassError {
    at(
      place,
      "\(keys.joined(separator: ", ")) is set twice in the mapping that starts on this line; keep one.")
  }

  static func mergeKey(at place: Place) -> OnePassError {
    at(place, "merge keys (<<) are not supported; write the options out.")
  }

  /// - Parameter contents: What the mapping contains: `options, seeds and cells`.
  static func notAMapping(of contents: String, at place: Place) -> OnePassError {
    at(place, "expected \(contents) as `name: value`.")
  }

  static func notAScalar(_ name: String, at place: Place) -> OnePassError {
    at(place, "\(name) must have a single plain value.")
  }
}
