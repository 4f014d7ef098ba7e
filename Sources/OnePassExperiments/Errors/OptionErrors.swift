import OnePassCore

/// Errors in options that a file, a preset or `--set` contains. Each starts with its place.
extension OnePassError {
  /// An error in what a place contains: `grid.yaml:7: …`
  static func at(_ place: Place, _ message: String) -> OnePassError {
    OnePassError(.usage, "\(place): \(message)")
  }

  /// Another error, found while what a place contains was checked.
  static func at(_ place: Place, _ error: OnePassError) -> OnePassError {
    OnePassError(error.code, "\(place): \(error.message)", cause: error.cause)
  }

  /// What `onepass train` refuses. Options in a file have no dashes, so its message has none either.
  static func rejectedOption(at place: Place, _ error: OnePassError) -> OnePassError {
    OnePassError(
      error.code, "\(place): \(error.message.replacing("'--", with: "'"))", cause: error.cause)
  }

  static func unreadableConfiguration(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(path): cannot be read as UTF-8 text; pass a YAML file with --config.", cause: cause)
  }

  static func emptyConfiguration(at place: Place) -> OnePassError {
    at(place, "the configuration is empty; add options of `onepass train` as `name: value`.")
  }

  static func invalidAssignment(at place: Place) -> OnePassError {
    at(place, "not an assignment; write OPTION=VALUE, for example weight-decay=5e-4.")
  }

  static func reservedOption(_ name: String, _ reason: String, at place: Place) -> OnePassError {
    at(place, "\(name) cannot be set here; \(reason).")
  }

  static func invalidOptionName(_ name: String, at place: Place) -> OnePassError {
    at(place, "\"\(name)\" is not an option name; write it without dashes.")
  }

  static func ambiguousSwitch(_ name: String, _ value: String, at place: Place) -> OnePassError {
    at(place, "\(name) does not accept \(value); write true or false.")
  }

  static func nullValue(of name: String, at place: Place) -> OnePassError {
    at(place, "\(name) has no value; write one or remove the option.")
  }

  static func notAFlag(_ name: String, at place: Place, cause: (any Error)?) -> OnePassError {
    OnePassError(
      .usage, "\(place): \(name) is not a flag (got false); write a value or remove the option.",
      cause: cause)
  }
}

/// Options of `onepass train` that a file cannot set, with the text after "cannot be set here;".
enum ReservedOptions {
  static let inConfiguration = [
    "config": "pass --config on the command line", "dry-run": "pass --dry-run on the command line",
    "help": "it is not an option of a run", "version": "it is not an option of a run",
  ]

  static let inGrid = [
    "seed": "use seeds in the grid, or --seeds", "config": "write the options of a cell in the grid",
    "help": "it is not an option of a run", "version": "it is not an option of a run",
    "output": "the grid names the folder of each cell", "dry-run": "pass --dry-run on the command line",
    "json": "cells print nothing", "quiet": "cells print nothing", "progress": "cells print nothing",
  ]
}
