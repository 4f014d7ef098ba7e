import Foundation
import OnePassCore
import Yams

/// What a grid file says: options of every cell, seeds, and groups of cells.
///
/// ```yaml
/// options:                   # of every cell: options of `onepass train`, without dashes
///   data: fashion-mnist
///   eval-data: fashion-mnist:test
///   model: resnet8
/// seeds: 3                   # 1, 2, 3; or a list
/// cells:                     # groups; where an option has several values, each is crossed with all others
///   - method: naive
///   - method: replay
///     replay-steps: [1, 3, 5, 8]
///     storage: [1%, 5%, 10%]
/// ```
package struct GridDescription: Sendable {
  /// An option with the values that it takes in the cells of a group.
  struct Axis: Sendable {
    var options: [GridOption]
  }

  /// Cells that are written together.
  struct Group: Sendable {
    var axes: [Axis]
    var place: Place
  }

  /// The file or the preset.
  let source: String
  var options: [GridOption] = []
  var seeds: [UInt64]?
  var groups: [Group] = []

  /// Reads a grid file.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `usage` with its line if it is not a grid.
  package init(path: String) throws {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw OnePassError(
        .io, "The grid \(path) cannot be read as text (UTF-8): give a YAML file, or a preset with --preset.",
        cause: error)
    }
    try self.init(text: text, source: path)
  }

  /// - Parameter source: What the text is called in messages.
  package init(text: String, source: String) throws {
    self.source = source
    let root = try Self.compose(text, source)
    for (key, value) in try root.entries(source, "options, seeds and cells") {
      switch key.text {
      case "options":
        options = try value.entries(source, "options of `onepass train`").map { name, value in
          GridOption(name.text, try value.scalar(source, name.text), at: name.place)
        }
      case "seeds": seeds = try Self.seeds(value, source)
      case "cells": groups = try Self.groups(value, source)
      default:
        throw key.place.refusal("\"\(key.text)\" is not known here: a grid has options, seeds and cells.")
      }
    }
    guard !groups.isEmpty else {
      throw Place(source).refusal(
        "there are no cells: add a list `cells` with at least one group of options.")
    }
  }

  private static func compose(_ text: String, _ source: String) throws -> Node {
    guard !YAMLKeys.mayExplode(in: text) else {
      throw Place(source).refusal(
        "keys that are lists or mappings are not read: write each name as plain text.")
    }
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch let error as YamlError {
      throw refusal(of: error, source)
    }
    guard let node else { throw Place(source).refusal("the grid is empty: add options, seeds and cells.") }
    return node
  }

  /// libyaml's complaint, in one line.
  private static func refusal(of error: YamlError, _ source: String) -> OnePassError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      Place(source, line: mark.line).refusal("this is not YAML: \(problem).")
    case .duplicatedKeysInMapping(let duplicates, let context):
      Place(source, line: context.mark.line).refusal(
        "\(duplicates.joined(separator: ", ")) is written twice in what begins here: keep one.")
    default: Place(source).refusal("this is not YAML: \(error).")
    }
  }

  private static func seeds(_ node: Node, _ source: String) throws -> [UInt64] {
    let place = node.place(source)
    if let texts = node.sequence {
      guard !texts.isEmpty else { throw place.refusal("seeds has no values: give at least one.") }
      let seeds = try texts.map { item in
        let text = try item.scalar(source, "seeds")
        guard let seed = UInt64(text) else {
          throw item.place(source).refusal("\(text) is no seed: give numbers.")
        }
        return seed
      }
      guard Set(seeds).count == seeds.count else {
        throw place.refusal("a seed stands here twice: give each once.")
      }
      return seeds
    }
    return try SeedList(node.scalar(source, "seeds"), at: place).seeds
  }

  private static func groups(_ node: Node, _ source: String) throws -> [Group] {
    guard let items = node.sequence else {
      throw node.place(source).refusal("`cells` is a list: begin each group of options with a dash.")
    }
    return try items.map { item in
      let axes = try item.entries(source, "options of `onepass train`").map { name, value in
        if let values = value.sequence {
          guard !values.isEmpty else {
            throw name.place.refusal("\(name.text) has no values: give at least one.")
          }
          return Axis(
            options: try values.map {
              GridOption(name.text, try $0.scalar(source, name.text), at: $0.place(source))
            })
        }
        return Axis(options: [GridOption(name.text, try value.scalar(source, name.text), at: name.place)])
      }
      return Group(axes: axes, place: item.place(source))
    }
  }
}

/// The seeds of a grid: a number (`3` stands for 1, 2, 3) or a list (`1,2,7`).
package struct SeedList: Sendable {
  package let seeds: [UInt64]

  /// - Throws: `OnePassError` (`usage`) if the text is neither.
  package init(_ text: String, at place: Place) throws {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { UInt64($0.trimmingCharacters(in: .whitespaces)) }
    guard numbers.count == parts.count, numbers != [0], numbers[0] <= 10_000 || numbers.count > 1 else {
      throw place.refusal("\(text) names no seeds: give how many (3, at most 10000), or a list (1,2,7).")
    }
    seeds = numbers.count == 1 ? Array(1...numbers[0]) : numbers
    guard Set(seeds).count == seeds.count else {
      throw place.refusal("a seed stands twice in \(text): give each once.")
    }
  }
}

extension Node {
  func place(_ source: String) -> Place { Place(source, line: mark?.line) }

  /// The keys and values of a mapping, in their order.
  fileprivate func entries(
    _ source: String, _ contents: String
  ) throws -> [(key: (text: String, place: Place), value: Node)] {
    guard let mapping else {
      throw place(source).refusal("there should be \(contents) here, as `name: value`.")
    }
    return try mapping.map { key, value in
      let name = try key.scalar(source, "a name")
      guard name != "<<" else {
        throw key.place(source).refusal("merge keys (<<) are not read here: write the options out.")
      }
      return ((name, key.place(source)), value)
    }
  }

  /// The text of a plain value, as it is written.
  fileprivate func scalar(_ source: String, _ name: String) throws -> String {
    guard let scalar, !scalar.string.isEmpty else {
      throw place(source).refusal("\(name) needs one plain value here.")
    }
    return scalar.string
  }
}
