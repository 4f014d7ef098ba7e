import Foundation
import OnePassCore
import Yams

/// The contents of a grid file: options of all cells, seeds, and groups of cells.
///
/// ```yaml
/// options:                   # of all cells: options of `onepass train`, without dashes
///   data: fashion-mnist
///   eval-data: fashion-mnist:test
///   model: resnet8
/// seeds: 3                   # 1, 2, 3; or a list of seeds
/// cells:                     # groups; the values of the options of a group are crossed
///   - method: naive
///   - method: replay
///     replay-steps: [1, 3, 5, 8]
///     storage: [1%, 5%, 10%]
/// ```
package struct GridDescription: Sendable {
  /// An option with its values in the cells of a group.
  struct Axis: Sendable {
    var options: [TrainOption]
  }

  /// A group of cells, one item of the list `cells`.
  struct Group: Sendable {
    var axes: [Axis]
    var place: Place
  }

  /// The name of the file or the preset, for messages.
  let source: String
  var options: [TrainOption] = []
  var seeds: [UInt64]?
  var groups: [Group] = []

  /// Reads a grid file.
  /// - Throws: `OnePassError`: `io` for an unreadable file; `usage`, with its line, for an invalid grid.
  package init(path: String) throws {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw OnePassError.unreadableGrid(path, cause: error)
    }
    try self.init(text: text, source: path)
  }

  /// Parses the text of a grid file.
  /// - Parameters:
  ///   - text: YAML.
  ///   - source: The name of the text in messages.
  /// - Throws: `OnePassError` (`usage`), with its line, for an invalid grid.
  package init(text: String, source: String) throws {
    self.source = source
    let root = try Node.compose(text, source) { .emptyGrid(at: $0) }
    for (key, value) in try root.entries(source, "options, seeds and cells") {
      switch key.text {
      case "options": options = try value.options(source)
      case "seeds": seeds = try Self.seeds(value, source)
      case "cells": groups = try Self.groups(value, source)
      default: throw OnePassError.unknownGridKey(key.text, at: key.place)
      }
    }
    guard !groups.isEmpty else { throw OnePassError.noCells(at: Place(source)) }
  }

  private static func seeds(_ node: Node, _ source: String) throws -> [UInt64] {
    let place = node.place(source)
    if let texts = node.sequence {
      guard !texts.isEmpty else { throw OnePassError.noValues(of: "seeds", at: place) }
      let seeds = try texts.map { item in
        let text = try item.scalar(source, "seeds")
        guard let seed = UInt64(text) else {
          throw OnePassError.invalidSeed(text, at: item.place(source))
        }
        return seed
      }
      if let seed = SeedList.firstDuplicate(in: seeds) { throw OnePassError.duplicateSeed(seed, at: place) }
      return seeds
    }
    return try SeedList(node.scalar(source, "seeds"), at: place).seeds
  }

  private static func groups(_ node: Node, _ source: String) throws -> [Group] {
    guard let items = node.sequence else {
      throw OnePassError.cellsAreNotAList(at: node.place(source))
    }
    return try items.map { item in
      let axes = try item.entries(source, "options of `onepass train`").map { name, value in
        if let values = value.sequence {
          guard !values.isEmpty else { throw OnePassError.noValues(of: name.text, at: name.place) }
          return Axis(
            options: try values.map {
              TrainOption(name.text, try $0.scalar(source, name.text), at: $0.place(source))
            })
        }
        return Axis(options: [TrainOption(name.text, try value.scalar(source, name.text), at: name.place)])
      }
      return Group(axes: axes, place: item.place(source))
    }
  }
}

/// The seeds of a grid, from a number (`3` means 1, 2, 3) or a list (`1,2,7`).
package struct SeedList: Sendable {
  /// The seeds in the order of the text, without duplicates.
  package let seeds: [UInt64]

  /// Parses a number of seeds from 1 to 10,000, or a list of seeds.
  /// - Throws: `OnePassError` (`usage`) for other text, and for a list with a duplicate.
  package init(_ text: String, at place: Place) throws {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { UInt64($0.trimmingCharacters(in: .whitespaces)) }
    guard numbers.count == parts.count, numbers != [0], numbers[0] <= 10_000 || numbers.count > 1 else {
      throw OnePassError.invalidSeedList(text, at: place)
    }
    seeds = numbers.count == 1 ? Array(1...numbers[0]) : numbers
    if let seed = Self.firstDuplicate(in: seeds) { throw OnePassError.duplicateSeed(seed, at: place) }
  }

  static func firstDuplicate(in seeds: [UInt64]) -> UInt64? {
    var seen: Set<UInt64> = []
    return seeds.first { !seen.insert($0).inserted }
  }
}
