import OnePass
import OnePassCore

/// Errors in grids of runs.
extension OnePassError {
  static func unreadableGrid(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(path): cannot be read as UTF-8 text; pass a YAML file, or a preset with --preset.",
      cause: cause)
  }

  static func emptyGrid(at place: Place) -> OnePassError {
    at(place, "the grid is empty; add options, seeds and cells.")
  }

  static func unknownGridKey(_ key: String, at place: Place) -> OnePassError {
    at(place, "\"\(key)\" is not a key of a grid; use options, seeds and cells.")
  }

  static func noCells(at place: Place) -> OnePassError {
    at(place, "the grid has no cells; add a list `cells` with at least one group of options.")
  }

  static func cellsAreNotAList(at place: Place) -> OnePassError {
    at(place, "cells must be a list; start each group of options with a dash.")
  }

  static func noValues(of name: String, at place: Place) -> OnePassError {
    at(place, "\(name) has no values; list at least one.")
  }

  static func noData(at place: Place) -> OnePassError {
    at(place, "data is missing; pass --data SPEC or set data under options.")
  }

  // MARK: Seeds

  static func invalidSeed(_ text: String, at place: Place) -> OnePassError {
    at(place, "\(text) is not a seed; use integers from 0.")
  }

  static func duplicateSeed(_ seed: UInt64, at place: Place) -> OnePassError {
    at(place, "seed \(seed) is listed twice; list each seed once.")
  }

  static func invalidSeedList(_ text: String, at place: Place) -> OnePassError {
    let shown = text.isEmpty ? "nothing" : text
    return at(place, "seeds must be a number from 1 to 10,000 or a list such as 1,2,7 (got \(shown)).")
  }

  // MARK: Cells

  static func tooManyCells(_ count: Int, limit: Int) -> OnePassError {
    OnePassError(
      .usage,
      "The grid has \(Figures.count(count)) cells, more than \(Figures.count(limit)); split the grid.")
  }

  static func tooManyCellsInGroup(_ count: Int, limit: Int, at place: Place) -> OnePassError {
    at(
      place,
      "the options of this group make \(Figures.count(count)) cells, more than \(Figures.count(limit)); "
        + "split the group.")
  }

  static func duplicateCell(_ name: String, first: Place, at place: Place) -> OnePassError {
    at(place, "the cell \(name) is already defined at \(first); remove one of the two.")
  }

  static func conflictingCell(
    _ name: String, option: String, here: String, there: String, first: Place, at place: Place
  ) -> OnePassError {
    at(
      place,
      "the cell \(name) is a different run at \(first) (\(option) \(there) there, \(here) here); "
        + "run the two grids into separate folders.")
  }

  static func optionInGroupAndOnCommandLine(_ name: String, at place: Place) -> OnePassError {
    at(place, "\(name) is set in this group of cells and on the command line; keep one.")
  }

  static func optionInGroupAndForAllCells(_ name: String, common: Place, at place: Place) -> OnePassError {
    at(place, "\(name) is also set for all cells (\(common)); keep one.")
  }

  static func gridFromStandardInput(at place: Place) -> OnePassError {
    at(
      place,
      "a grid reads its stream once per cell, and standard input can be read only once; "
        + "use files, such as shards written by `onepass pack`.")
  }
}
