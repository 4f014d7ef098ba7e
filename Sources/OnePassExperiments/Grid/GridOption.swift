import OnePass
import OnePassCore

/// Turns the arguments of `onepass train` into what they ask for; the command line's own parser.
///
/// A grid may use every option of `train` in this way, with the same names, values and refusals.
/// - Throws: `OnePassError` (`usage`, `io`) with the sentence that `train` would print.
package typealias TrainArgumentReader = ([String]) throws -> RunConfiguration

/// An option of `onepass train` with the value that a grid gives it.
package struct GridOption: Hashable, Sendable {
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

  /// Options that belong to the grid itself.
  private static let reserved = [
    "seed": "say `seeds` in the grid, or --seeds",
    "help": "it is no option of a run", "version": "it is no option of a run",
    "output": "the folder of a cell is chosen by the grid",
    "json": "a cell prints nothing", "quiet": "a cell prints nothing", "progress": "a cell prints nothing",
  ]

  /// - Throws: `OnePassError` (`usage`) if a grid may not set this option.
  func checkName() throws {
    if let reason = Self.reserved[name] { throw place.refusal("\(name) cannot be set here: \(reason).") }
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
    if name == "data" || name == "eval-data", value.hasSuffix(":-") {
      throw place.refusal(
        "a grid reads its stream once for each cell, and standard input comes only once: "
          + "give files, such as shards written by `onepass pack`.")
    }
  }
}
