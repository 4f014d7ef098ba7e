import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassExperiments
import OnePassModels

extension GridPreset: ExpressibleByArgument {
  fileprivate var helpLine: String {
    "  \(rawValue)\(String(repeating: " ", count: 16 - rawValue.count))\(summary)"
  }
}

struct RunGridCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Train the cells of a grid that have no record yet.",
    discussion: """
      A grid is a YAML file with options of `onepass train`, without dashes. Lists of values in a group of cells \
      are crossed, and each cell is trained with each seed:

        options:
          data: fashion-mnist
          eval-data: fashion-mnist:test
          model: resnet8
          limit: 10000
        seeds: 3
        cells:
          - method: naive
          - method: replay
            replay-steps: [1, 3, 5, 8]
            storage: [1%, 5%, 10%]

      Presets:
      \(GridPreset.allCases.map(\.helpLine).joined(separator: "\n"))
      """)

  @Argument(help: "Grid files (YAML).", completion: .file(extensions: ["yaml", "yml"]))
  var grid: [String] = []

  @Option(help: "Built-in grid; can be repeated.")
  var preset: [GridPreset] = []

  @Option(
    help: ArgumentHelp("Stream to train on, as in `train`.", valueName: "SPEC"),
    completion: .specification)
  var data: String?

  @Option(
    name: .customLong("eval-data"),
    help: ArgumentHelp("Labelled images for the evaluation.", valueName: "SPEC"),
    completion: .specification)
  var evaluationData: String?

  @Option(
    help: ArgumentHelp("Number of classes, or a file with their names.", valueName: "N|FILE"),
    completion: .file())
  var classes: String?

  @Option(
    help: ArgumentHelp("Model architecture.", valueName: "NAME"), completion: .list(ModelRegistry.names))
  var model: String?

  @Option(help: ArgumentHelp("Maximum number of examples from the stream.", valueName: "N"))
  var limit: String?

  @Option(help: ArgumentHelp("Number of seeds (3) or list of seeds (1,2,7).", valueName: "SEEDS"))
  var seeds: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Another option of `train` for all cells; can be repeated.", valueName: "OPTION=VALUE")
  )
  var settings: [String] = []

  @Option(
    name: .customLong("memory-bytes"),
    help: ArgumentHelp(
      "Storage budget at which opin-ablations compares encoded images with pixels.", valueName: "AMOUNT"))
  var memoryBytes: String?

  @Option(
    help: ArgumentHelp("Number of cells that run at the same time and share the cores.", valueName: "N"))
  var parallel = 1

  @Option(
    help: ArgumentHelp("Output folder, with a subfolder for each cell.", valueName: "DIR"),
    completion: .directory)
  var output: String

  @Flag(name: .customLong("dry-run"), help: "Print the command of each cell, without training.")
  var dryRun = false

  @Flag(name: .shortAndLong, help: "Do not show progress.")
  var quiet = false

  @Option(
    help:
      "Format of the progress: a live table on a terminal only (auto), or a line for each change (lines)."
  )
  var progress = GridProgressStyle.auto

  func run() throws {
    try OptionRange.between(1, 256).check("--parallel", parallel)
    let grid = try makeGrid()
    if dryRun {
      for cell in grid.cells {
        try Console.result(cell.command(output: "\(output)/\(cell.name)"))
      }
      return
    }
    try grid.checkSources()
    let runner = GridRunner(
      grid, in: try ExperimentFolder(output), program: try Self.ownProgram(), parallel: parallel)
    let display = GridDisplay(grid: grid, quiet: quiet, style: progress)
    let outcome = try runner.run { display.show($0) }
    display.close()
    try report(outcome)
  }

  private func makeGrid() throws -> Grid {
    guard !grid.isEmpty || !preset.isEmpty else {
      throw OnePassError.missingGrid()
    }
    try checkMemoryBytes()
    var overrides = [
      ("data", data), ("eval-data", evaluationData), ("classes", classes), ("model", model), ("limit", limit),
    ].compactMap { name, value in value.map { TrainOption(name, $0, at: Place("--\(name)")) } }
    overrides += try settings.map { try TrainOption(assignment: $0) }
    let descriptions =
      try grid.map { try GridDescription(path: $0) }
      + preset.flatMap { try $0.descriptions(memoryBytes: memoryBytes) }
    let grid = try Grid(
      descriptions, overrides: overrides, seeds: seeds.map { try SeedList($0, at: Place("--seeds")).seeds },
      read: TrainCommand.read)
    if preset.contains(.ablations), memoryBytes == nil {
      Console.note(
        "Encoded images are not compared with pixels; pass --memory-bytes to include this ablation.")
    }
    for notice in grid.notices { Console.note(notice) }
    if grid.cells.contains(where: { $0.configuration.data.evaluationSource == nil }) {
      Console.note("Without --eval-data the results have no accuracy.")
    }
    return grid
  }

  private func checkMemoryBytes() throws {
    guard let memoryBytes else { return }
    guard ByteCount(memoryBytes) != nil else {
      throw OnePassError.invalidMemoryBytes(memoryBytes)
    }
    guard preset.contains(where: { $0 == .ablations || $0 == .imagenet }) else {
      throw OnePassError.memoryBytesWithoutPreset()
    }
  }

  /// The path of this program, which trains the cells.
  private static func ownProgram() throws -> URL {
    guard let path = Bundle.main.executablePath else {
      throw OnePassError.unknownExecutable()
    }
    return URL(fileURLWithPath: path)
  }

  private func report(_ outcome: GridRunner.Outcome) throws {
    let progress = outcome.progress
    let trained = progress.newCount
    try Console.result(
      "\(Figures.count(progress.cells.count, "cell")): \(trained) trained, \(progress.doneCount - trained) already done"
        + (progress.failures.isEmpty ? "" : ", \(progress.failures.count) failed"))
    for (cell, reason) in progress.failures {
      Console.error("\(Console.styled("Failed:", .red)) \(cell.name): \(reason)")
    }
    if outcome.isBlocked {
      Console.error(
        "Stopped, since a cell could not be started or written; the remaining cells would fail as well.")
    }
    if let signal = outcome.interruption {
      Console.error("Interrupted. To resume, run the same command again.")
      throw ExitCode(128 + signal)
    }
    guard progress.failures.isEmpty else {
      throw OnePassError.failedCells(progress.failures.count, of: progress.cells.count)
    }
    try Console.result("next: onepass experiment table \(output), onepass experiment report \(output)")
  }
}
