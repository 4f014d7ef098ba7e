import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassExperiments
import OnePassModels

extension GridPreset: ExpressibleByArgument {}

struct RunGridCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Train every cell of a grid that has no record yet.",
    discussion: """
      A grid is a YAML file. Its options are those of `onepass train`, without dashes; where an option of a group \
      has several values, each is crossed with all others.

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
      \(GridPreset.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
      """)

  @Argument(help: "Grid files.", completion: .file(extensions: ["yaml", "yml"]))
  var grid: [String] = []

  @Option(help: "A grid that comes with the program; can be given more than once.")
  var preset: [GridPreset] = []

  @Option(
    help: ArgumentHelp("The stream to train on, as in `train`.", valueName: "SPEC"),
    completion: .specification)
  var data: String?

  @Option(
    name: .customLong("eval-data"),
    help: ArgumentHelp("Labelled images to measure the accuracy on.", valueName: "SPEC"),
    completion: .specification)
  var evaluationData: String?

  @Option(
    help: ArgumentHelp("The number of classes, or a file with their names.", valueName: "N|FILE"),
    completion: .file())
  var classes: String?

  @Option(help: ArgumentHelp("The network.", valueName: "NAME"), completion: .list(ModelRegistry.names))
  var model: String?

  @Option(help: ArgumentHelp("Take at most this many examples from the stream.", valueName: "N"))
  var limit: String?

  @Option(help: ArgumentHelp("How many seeds (3), or which (1,2,7).", valueName: "SEEDS"))
  var seeds: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any other option of `train`, for every cell.", valueName: "OPTION=VALUE"))
  var settings: [String] = []

  @Option(
    name: .customLong("memory-bytes"),
    help: ArgumentHelp(
      "The budget at which opin-ablations compares encoded images with pixels.", valueName: "AMOUNT"))
  var memoryBytes: String?

  @Option(help: ArgumentHelp("Cells that run at the same time; they share the cores.", valueName: "N"))
  var parallel = 1

  @Option(
    help: ArgumentHelp("The folder that receives a folder for each cell.", valueName: "DIR"),
    completion: .directory)
  var output: String

  @Flag(name: .customLong("dry-run"), help: "Only list the cells, with the command of each.")
  var dryRun = false

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  @Option(
    help:
      "A table that renews itself on a terminal and nothing elsewhere (auto), or a line for each change (lines)."
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
      throw OnePassError(
        .usage, "There is no grid: give a YAML file, or a preset such as --preset opin-table1.")
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
      Console.note("Encoded images are not compared with pixels: say at which --memory-bytes.")
    }
    if grid.cells.contains(where: { $0.configuration.data.evaluationSource == nil }) {
      Console.note("Without --eval-data there will be no accuracy.")
    }
    return grid
  }

  private func checkMemoryBytes() throws {
    guard let memoryBytes else { return }
    guard ByteCount(memoryBytes) != nil else {
      throw OnePassError(
        .usage,
        "--memory-bytes \(memoryBytes) is not an amount of bytes: write it with its unit, as in 500MB.")
    }
    guard preset.contains(where: { $0 == .ablations || $0 == .imagenet }) else {
      throw OnePassError(
        .usage, "--memory-bytes belongs to the presets opin-ablations and imagenet: in a grid, set storage.")
    }
  }

  /// This program, which trains the cells.
  private static func ownProgram() throws -> URL {
    guard let path = Bundle.main.executablePath else {
      throw OnePassError(.engine, "The path of this program is not known, so it cannot start the cells.")
    }
    return URL(fileURLWithPath: path)
  }

  private func report(_ outcome: GridRunner.Outcome) throws {
    let progress = outcome.progress
    let made = progress.newCount
    try Console.result(
      "\(Figures.count(progress.cells.count, "cell")): \(made) made, \(progress.doneCount - made) already there"
        + (progress.failures.isEmpty ? "" : ", \(progress.failures.count) failed"))
    for (cell, reason) in progress.failures {
      Console.error("\(Console.styled("Failed:", .red)) \(cell.name). \(reason)")
    }
    if outcome.isBlocked {
      Console.error(
        "Stopped: what could not be written or started would fail again with every cell that is left.")
    }
    if let signal = outcome.interruption {
      Console.error("Interrupted. What is done is safe; give the same command again to go on.")
      throw ExitCode(128 + signal)
    }
    guard progress.failures.isEmpty else {
      throw OnePassError(
        .engine,
        "\(progress.failures.count) of \(Figures.count(progress.cells.count, "cell")) failed, see above: "
          + "remove the cause and give the same command again.")
    }
    try Console.result("next: onepass experiment table \(output), onepass experiment report \(output)")
  }
}
