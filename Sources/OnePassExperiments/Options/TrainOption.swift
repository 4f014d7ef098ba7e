import OnePass
import OnePassCore

/// Turns the arguments of `onepass train` into what they ask for; the command line's own parser.
///
/// Files may use every option of `train` in this way, with the same names, values and refusals.
/// - Throws: `OnePassError` (`usage`, `io`) with the sentence that `train` would print.
package typealias TrainArgumentReader = ([String]) throws -> RunConfiguration

/// An option of `onepass train` with the value that a file, or `--set`, gives it.
package struct TrainOption: Hashable, Sendable {
  /// Without dashes: `replay-steps`.
  package let name: String
  /// `true` and `false` set and clear a flag.
  package let value: String
  package let place: Place

  package init(_ name: String, _ value: String, at place: Place) {
    self.name = name
    self.value = value
    self.place = place
  }

  /// `replay-steps=3`, as `--set` takes it.
  /// - Throws: `OnePassError` (`usage`) if it is not written so.
  package init(assignment: String) throws {
    let parts = assignment.split(separator: "=", maxSplits: 1).map(String.init)
    let place = Place("--set \(assignment)")
    guard parts.count == 2, !parts[0].isEmpty else {
      throw place.refusal("write an option of `onepass train` and its value, as in --set weight-decay=5e-4.")
    }
    self.init(parts[0].hasPrefix("--") ? String(parts[0].dropFirst(2)) : parts[0], parts[1], at: place)
  }

  /// The option as `onepass train` takes it.
  var argument: String {
    switch value {
    case "true": "--\(name)"
    case "false": "--no-\(name)"
    default: "--\(name)=\(value)"
    }
  }

  /// Reads the option for itself, so that a refusal names its line.
  /// - Parameter reserved: Options that the file may not set, with the reason.
  /// - Throws: `OnePassError` (`usage`, `io`) if `train` would refuse it.
  func check(reserved: [String: String], _ read: TrainArgumentReader) throws {
    try checkForm(reserved)
    do { try readAlone(argument, read) } catch let error as OnePassError {
      var sentence = error.message
      // For what is no switch there is no way to say no; then what counts is what is said of the value.
      if value == "false" {
        do {
          try readAlone("--\(name)=false", read)
          sentence = "\(name) is no switch: give a value, or leave it out."
        } catch let named as OnePassError { sentence = named.message }
      }
      // In a file options have no dashes.
      throw OnePassError(error.code, "\(place): \(sentence.replacing("'--", with: "'"))", cause: error.cause)
    }
  }

  private func readAlone(_ argument: String, _ read: TrainArgumentReader) throws {
    try read((name == "data" ? [] : ["--data=none"]) + [argument]).validateValues()
  }

  private func checkForm(_ reserved: [String: String]) throws {
    if let reason = reserved[name] { throw place.refusal("\(name) cannot be set here: \(reason).") }
    guard !name.isEmpty, !name.hasPrefix("-") else {
      throw place.refusal("\"\(name)\" is no option: write it without dashes.")
    }
    let lowered = value.lowercased()
    if ["yes", "no", "on", "off"].contains(lowered) {
      throw place.refusal("\(name) \(value) is not read: write true or false.")
    }
    if ["null", "~"].contains(lowered) {
      throw place.refusal("\(name) has no value: give one, or leave it out.")
    }
  }
}
