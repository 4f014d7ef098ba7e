import OnePass
import OnePassCore
import OnePassData

/// One run of a grid: a method with its options and a seed.
package struct GridCell: Sendable {
  /// The name of its folder: `replay-k8-10pct-seed1`.
  package let name: String
  /// The name without the seed.
  package let variant: String
  package let seed: UInt64
  package let configuration: RunConfiguration
  /// The arguments of `onepass train`, without the output.
  package let arguments: [String]
  let place: Place

  /// The command that a person would give for this cell.
  package func command(output: String? = nil) -> String {
    Self.command(arguments + (output.map { ["--output", $0] } ?? []))
  }

  /// The line that a shell takes, without what opens an address.
  static func command(_ arguments: [String]) -> String {
    (["onepass", "train"] + arguments).map { quoted(SourceRegistry.withoutSecrets($0)) }.joined(
      separator: " ")
  }

  /// A word as a shell takes it literally.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_=./:,%+@".contains($0)) }
    return isPlain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }
}

/// All runs of an experiment, checked before the first one starts.
package struct Grid: Sendable {
  /// By seed, so that a grid that is broken off has whole rows.
  package let cells: [GridCell]

  /// The names of the cells without the seed, in the order in which the grid names them.
  package var variants: [String] {
    var seen: Set<String> = []
    return cells.map(\.variant).filter { seen.insert($0).inserted }
  }

  /// More than anybody runs, and few enough to be checked at once.
  static let largestCount = 5_000

  package var seeds: [UInt64] { Array(Set(cells.map(\.seed))).sorted() }

  /// Crosses the values of every group with the seeds.
  /// - Parameters:
  ///   - descriptions: Grid files and presets. A cell that several of them name is run once.
  ///   - overrides: Options that hold for every cell, in place of those of the files.
  ///   - seeds: In place of the seeds of the files.
  ///   - read: Understands the arguments of `onepass train`.
  /// - Throws: `OnePassError` (`usage`) with the line of an unknown option, an impossible value, or a cell that
  ///   a file names twice.
  package init(
    _ descriptions: [GridDescription], overrides: [TrainOption] = [], seeds: [UInt64]? = nil,
    read: @escaping TrainArgumentReader
  ) throws {
    var cells: [GridCell] = []
    var byName: [String: GridCell] = [:]
    var byConfiguration: [RunConfiguration: GridCell] = [:]
    for description in descriptions {
      let expansion = try Expansion(description, overrides, read)
      try Self.checkCount(cells.count + expansion.count * (seeds ?? description.seeds ?? [1]).count)
      for seed in seeds ?? description.seeds ?? [1] {
        for cell in try expansion.cells(seed: seed) {
          guard let first = byName[cell.name] ?? byConfiguration[cell.configuration] else {
            byName[cell.name] = cell
            byConfiguration[cell.configuration] = cell
            cells.append(cell)
            continue
          }
          // Presets share cells; one file that names a cell twice has a mistake in it.
          guard first.place.source != description.source else {
            throw cell.place.refusal(
              "the cell \(cell.name) is already there from line \(first.place.line ?? 0): remove one of the two."
            )
          }
          if let difference = cell.configuration.differences(from: first.configuration).first {
            throw cell.place.refusal(
              "the cell \(cell.name) is another run in \(first.place) (\(difference.option) \(difference.theirs) there, "
                + "\(difference.mine) here): run the two grids into folders of their own.")
          }
        }
      }
    }
    let rank = Dictionary(uniqueKeysWithValues: cells.enumerated().map { ($0.element.name, $0.offset) })
    self.cells = cells.sorted { ($0.seed, rank[$0.name] ?? 0) < ($1.seed, rank[$1.name] ?? 0) }
  }

  private static func checkCount(_ count: Int) throws {
    guard count <= largestCount else {
      throw OnePassError(.usage, "The grid has \(count) cells, more than \(largestCount): split it.")
    }
  }
}

extension Grid {
  /// Opens every stream that a cell names, so that a path that is not there is found before the first cell starts.
  /// - Throws: `OnePassError`, as opening the stream does.
  package func checkSources() throws {
    var opened: Set<[String]> = []
    for cell in cells {
      let names = cell.configuration.data.classNames
      for data in [cell.configuration.data.source, cell.configuration.data.evaluationSource].compactMap(
        \.self)
      {
        guard opened.insert([data] + (names ?? [])).inserted else { continue }
        _ = try SourceRegistry.open(data, seed: cell.seed, classNames: names)
      }
    }
  }
}

/// The cells of one description.
private struct Expansion {
  private let options: [TrainOption]
  private let combinations: [(options: [TrainOption], place: Place)]
  private let read: TrainArgumentReader

  /// Cells for each seed.
  var count: Int { combinations.count }

  init(_ description: GridDescription, _ overrides: [TrainOption], _ read: @escaping TrainArgumentReader)
    throws
  {
    self.read = read
    let replaced = Set(overrides.map(\.name))
    options = description.options.filter { !replaced.contains($0.name) } + overrides
    guard options.contains(where: { $0.name == "data" }) else {
      throw Place(description.source).refusal(
        "no cell says what to train on: give --data, or `data` under options.")
    }
    for group in description.groups {
      let count = group.axes.reduce(1.0) { $0 * Double($1.options.count) }
      guard count <= Double(Grid.largestCount) else {
        throw group.place.refusal(
          "the options of this group make \(Int(min(count, 1e15))) cells, more than \(Grid.largestCount): split it."
        )
      }
    }
    combinations = description.groups.flatMap { group in
      group.axes.reduce([[]]) { combinations, axis in
        combinations.flatMap { combination in axis.options.map { combination + [$0] } }
      }.map { ($0, group.place) }
    }
    for group in description.groups {
      for option in group.axes.flatMap(\.options) {
        if replaced.contains(option.name) {
          throw option.place.refusal(
            "the cells of this group set \(option.name) themselves, so it cannot be given for all of them.")
        }
        if let common = options.first(where: { $0.name == option.name }) {
          throw option.place.refusal("\(option.name) is also set for every cell (\(common.place)): keep one.")
        }
      }
    }
    try checkEachAlone(options + description.groups.flatMap { $0.axes.flatMap(\.options) })
  }

  /// Each option for itself, so that a refusal names its line.
  private func checkEachAlone(_ all: [TrainOption]) throws {
    for option in all {
      try option.check(reserved: Self.reserved, read)
      if option.name == "data" || option.name == "eval-data", option.value.hasSuffix(":-") {
        throw option.place.refusal(
          "a grid reads its stream once for each cell, and standard input comes only once: "
            + "give files, such as shards written by `onepass pack`.")
      }
    }
  }

  /// Options that belong to the grid itself.
  private static let reserved = [
    "seed": "say `seeds` in the grid, or --seeds", "config": "a cell has its options from the grid",
    "help": "it is no option of a run", "version": "it is no option of a run",
    "output": "the folder of a cell is chosen by the grid",
    "dry-run": "say --dry-run on the command line",
    "json": "a cell prints nothing", "quiet": "a cell prints nothing", "progress": "a cell prints nothing",
  ]

  func cells(seed: UInt64) throws -> [GridCell] {
    try combinations.map { combination, place in
      let configuration = try refusing(at: place) {
        let configuration = try read(arguments(combination, seed: seed))
        try configuration.validate()
        return configuration
      }
      let variant = try CellName.variant(of: configuration, options: combination) { fewer in
        try read(arguments(fewer, seed: seed))
      }
      return GridCell(
        name: "\(variant)-seed\(seed)", variant: variant, seed: seed, configuration: configuration,
        arguments: arguments(combination, seed: seed), place: place)
    }
  }

  private func arguments(_ combination: [TrainOption], seed: UInt64) -> [String] {
    (options + combination).map(\.argument) + ["--seed=\(seed)"]
  }

  private func refusing<Value>(at place: Place, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as OnePassError {
      throw OnePassError(error.code, "\(place): \(error.message)", cause: error.cause)
    }
  }
}
