import OnePass
import OnePassCore
import OnePassData

/// A run of a grid: a method with its options and a seed.
package struct GridCell: Sendable {
  /// The name of the folder: `replay-k8-10pct-seed1`.
  package let name: String
  /// The name without the seed.
  package let variant: String
  /// The seed of the run.
  package let seed: UInt64
  /// The options of the run, parsed.
  package let configuration: RunConfiguration
  /// The arguments of `onepass train`, without `--output`.
  package let arguments: [String]
  let place: Place

  /// The shell command that trains this cell.
  package func command(output: String? = nil) -> String {
    Self.command(arguments + (output.map { ["--output", $0] } ?? []))
  }

  /// The command as a line for a shell, without the secrets of addresses.
  static func command(_ arguments: [String]) -> String {
    (["onepass", "train"] + arguments).map { quoted(SourceRegistry.withoutSecrets($0)) }.joined(
      separator: " ")
  }

  /// A word, quoted for a shell where necessary.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_=./:,%+@".contains($0)) }
    return isPlain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }
}

/// All runs of an experiment, checked before the first one starts.
package struct Grid: Sendable {
  /// The cells ordered by seed, so that an interrupted grid has complete seeds.
  package let cells: [GridCell]
  /// Notices about sources that are named by their path alone.
  package let notices: [String]

  /// The names of the cells without the seed, in the order of the grid.
  package var variants: [String] {
    var seen: Set<String> = []
    return cells.map(\.variant).filter { seen.insert($0).inserted }
  }

  /// The maximum number of cells: all of them are checked before the first run.
  static let largestCount = 5_000

  /// All seeds in ascending order.
  package var seeds: [UInt64] { Array(Set(cells.map(\.seed))).sorted() }

  /// Crosses the values of every group with the seeds.
  /// - Parameters:
  ///   - descriptions: Grid files and presets. A cell of several descriptions is run once.
  ///   - overrides: Options of all cells; they replace options of the files.
  ///   - seeds: Seeds that replace those of the files.
  ///   - read: Parses the arguments of `onepass train`.
  /// - Throws: `OnePassError` (`usage`), with its line, for an unknown option, an invalid value, or a duplicate cell in a
  ///   file.
  package init(
    _ descriptions: [GridDescription], overrides: [TrainOption] = [], seeds: [UInt64]? = nil,
    read: @escaping TrainArgumentReader
  ) throws {
    var cells: [GridCell] = []
    var byName: [String: GridCell] = [:]
    var byConfiguration: [RunConfiguration: GridCell] = [:]
    let expansions = try descriptions.map { try Expansion($0, overrides, read) }
    var used: Set<String> = []
    for (description, expansion) in zip(descriptions, expansions) {
      let seeds = seeds ?? description.seeds ?? [1]
      try Self.checkCount(cells.count + expansion.count * seeds.count)
      for cellsOfSeed in try expansion.cells(seeds: seeds, using: &used) {
        for cell in cellsOfSeed {
          guard let first = byName[cell.name] ?? byConfiguration[cell.configuration] else {
            byName[cell.name] = cell
            byConfiguration[cell.configuration] = cell
            cells.append(cell)
            continue
          }
          // Presets share cells. A duplicate within one file is a mistake.
          guard first.place.source != description.source else {
            throw OnePassError.duplicateCell(cell.name, first: first.place, at: cell.place)
          }
          if let difference = cell.configuration.differences(from: first.configuration).first {
            throw OnePassError.conflictingCell(
              cell.name, option: difference.option, here: difference.mine, there: difference.theirs,
              first: first.place, at: cell.place)
          }
        }
      }
    }
    for expansion in expansions { try expansion.requireEffect(used) }
    let rank = Dictionary(uniqueKeysWithValues: cells.enumerated().map { ($0.element.name, $0.offset) })
    notices = expansions.flatMap(\.notices).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    self.cells = cells.sorted { ($0.seed, rank[$0.name] ?? 0) < ($1.seed, rank[$1.name] ?? 0) }
  }

  private static func checkCount(_ count: Int) throws {
    guard count <= largestCount else {
      throw OnePassError.tooManyCells(count, limit: largestCount)
    }
  }
}

extension Grid {
  /// Opens the streams of all cells, so that a missing path is reported before the first cell starts.
  /// - Throws: `OnePassError` from opening a stream.
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
  /// Notices about sources that are named by their path alone.
  let notices: [String]

  /// The number of cells for each seed.
  var count: Int { combinations.count }

  init(_ description: GridDescription, _ overrides: [TrainOption], _ read: @escaping TrainArgumentReader)
    throws
  {
    self.read = read
    let replaced = Set(overrides.map(\.name))
    var notices: [String] = []
    options = (description.options.filter { !replaced.contains($0.name) } + overrides).map {
      Self.naming($0, &notices)
    }
    guard options.contains(where: { $0.name == "data" }) else {
      throw OnePassError.noData(at: Place(description.source))
    }
    for group in description.groups {
      let count = group.axes.reduce(1.0) { $0 * Double($1.options.count) }
      guard count <= Double(Grid.largestCount) else {
        throw OnePassError.tooManyCellsInGroup(
          Int(min(count, 1e15)), limit: Grid.largestCount, at: group.place)
      }
    }
    combinations = description.groups.flatMap { group in
      group.axes.reduce([[]]) { combinations, axis in
        combinations.flatMap { combination in axis.options.map { combination + [Self.naming($0, &notices)] } }
      }.map { ($0, group.place) }
    }
    self.notices = notices
    for group in description.groups {
      for option in group.axes.flatMap(\.options) {
        if replaced.contains(option.name) {
          throw OnePassError.optionInGroupAndOnCommandLine(option.name, at: option.place)
        }
        if let common = options.first(where: { $0.name == option.name }) {
          throw OnePassError.optionInGroupAndForAllCells(
            option.name, common: common.place, at: option.place)
        }
      }
    }
    try checkEachAlone(options + description.groups.flatMap { $0.axes.flatMap(\.options) })
  }

  /// The option with the kind of its source, if its value is a path. A value that is neither is reported when it is opened.
  private static func naming(_ option: TrainOption, _ notices: inout [String]) -> TrainOption {
    guard option.name == "data" || option.name == "eval-data",
      let reading = try? SourceRegistry.reading(of: option.value), let notice = reading.notice
    else { return option }
    notices.append(notice)
    return TrainOption(option.name, reading.specification, at: option.place)
  }

  /// Checks each option alone, so that an error names its line.
  private func checkEachAlone(_ all: [TrainOption]) throws {
    for option in all {
      try option.check(reserved: ReservedOptions.inGrid, read)
      if option.name == "data" || option.name == "eval-data", option.value.hasSuffix(":-") {
        throw OnePassError.gridFromStandardInput(at: option.place)
      }
    }
  }

  /// The cells of each seed. Arguments are parsed once, since only the seed differs.
  /// - Parameter used: Gets the names of the options of all cells that have an effect in one of these.
  func cells(seeds: [UInt64], using used: inout Set<String>) throws -> [[GridCell]] {
    let parsed = try combinations.map { combination, place in
      let common = try naming(place) { try effective(in: combination) }
      used.formUnion(common.map(\.name))
      let configuration = try naming(place) {
        let configuration = try read(arguments(combination, common))
        try configuration.validate()
        return configuration
      }
      let variant = try CellName.variant(of: configuration, options: combination) { fewer in
        try read(arguments(fewer, common))
      }
      return (configuration: configuration, variant: variant, common: common)
    }
    return seeds.map { seed in
      zip(combinations, parsed).map { combination, cell in
        var configuration = cell.configuration
        configuration.seed = seed
        return GridCell(
          name: "\(cell.variant)-seed\(seed)", variant: cell.variant, seed: seed,
          configuration: configuration,
          arguments: arguments(combination.options, cell.common) + ["--seed=\(seed)"],
          place: combination.place)
      }
    }
  }

  /// The options of all cells without those that have no effect in one cell, as `storage` in a naive one.
  private func effective(in combination: [TrainOption]) throws -> [TrainOption] {
    let idle = Set(try read(arguments(combination, options)).givenWithoutEffect)
    return options.filter { !idle.contains($0.name) }
  }

  /// Checks that every option of all cells has an effect in at least one.
  /// - Throws: `OnePassError` (`usage`), with its line, for an option that has none.
  func requireEffect(_ used: Set<String>) throws {
    guard let (first, _) = combinations.first,
      let idle = options.first(where: { !used.contains($0.name) })
    else { return }
    do {
      try read(arguments(first, effective(in: first) + [idle])).validate()
    } catch let error as OnePassError { throw OnePassError.at(idle.place, error) }
  }

  private func arguments(_ combination: [TrainOption], _ common: [TrainOption]) -> [String] {
    (common + combination).map(\.argument)
  }

  private func naming<Value>(_ place: Place, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as OnePassError { throw OnePassError.at(place, error) }
  }
}
