import OnePass
import OnePassCore

/// Parses the arguments of `onepass train` into a configuration, with the parser of the command line.
///
/// Files can therefore set every option of `train`, with the same names, values and error messages.
/// - Throws: `OnePassError` (`usage`, `io`) with the message that `train` would print.
package typealias TrainArgumentReader = ([String]) throws -> RunConfiguration

/// An option of `onepass train` with its value, from a file or from `--set`.
package struct TrainOption: Hashable, Sendable {
  /// The name without dashes: `replay-steps`.
  package let name: String
  /// The value as text; `true` and `false` set and clear a flag.
  package let value: String
  /// The place that error messages name.
  package let place: Place

  /// An option with its value. Aliases are replaced by the name of the option, as `lr` by `learning-rate`.
  package init(_ name: String, _ value: String, at place: Place) {
    (self.name, self.value) = RunConfiguration.canonical(name: name, value: value)
    self.place = place
  }

  /// Parses an assignment as `--set` accepts it: `replay-steps=3`.
  /// - Throws: `OnePassError` (`usage`) for other text.
  package init(assignment: String) throws {
    let parts = assignment.split(separator: "=", maxSplits: 1).map(String.init)
    let place = Place("--set \(assignment)")
    guard parts.count == 2, !parts[0].isEmpty else {
      throw OnePassError.invalidAssignment(at: place)
    }
    self.init(parts[0].hasPrefix("--") ? String(parts[0].dropFirst(2)) : parts[0], parts[1], at: place)
  }

  /// The option as an argument of `onepass train`.
  var argument: String {
    switch value {
    case "true": "--\(name)"
    case "false": "--no-\(name)"
    default: "--\(name)=\(value)"
    }
  }

  /// Parses the option alone, so that an error names its line.
  /// - Parameter reserved: Options that the file cannot set, with the reason.
  /// - Throws: `OnePassError` (`usage`, `io`) if `train` would reject the option.
  func check(reserved: [String: String], _ read: TrainArgumentReader) throws {
    try checkForm(reserved)
    do { try readAlone(argument, read) } catch let error as OnePassError {
      guard value == "false" else { throw OnePassError.rejectedOption(at: place, error) }
      // Only flags have a --no- form. For other options the error about `--name=false` is the useful one.
      do { try readAlone("--\(name)=false", read) } catch let named as OnePassError {
        throw OnePassError.rejectedOption(
          at: place, OnePassError(error.code, named.message, cause: error.cause))
      }
      throw OnePassError.notAFlag(name, at: place, cause: error.cause)
    }
  }

  private func readAlone(_ argument: String, _ read: TrainArgumentReader) throws {
    try read((name == "data" ? [] : ["--data=none"]) + [argument]).validateValues()
  }

  private func checkForm(_ reserved: [String: String]) throws {
    if let reason = reserved[name] { throw OnePassError.reservedOption(name, reason, at: place) }
    guard !name.isEmpty, !name.hasPrefix("-") else {
      throw OnePassError.invalidOptionName(name, at: place)
    }
    let lowered = value.lowercased()
    if ["yes", "no", "on", "off"].contains(lowered) {
      throw OnePassError.ambiguousSwitch(name, value, at: place)
    }
    if ["null", "~"].contains(lowered) {
      throw OnePassError.nullValue(of: name, at: place)
    }
  }
}
