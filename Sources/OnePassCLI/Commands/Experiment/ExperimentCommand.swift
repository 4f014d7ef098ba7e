import ArgumentParser

struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "Run grids of experiments, and make tables and reports.",
    discussion: """
      The paper's tables for your data:
        onepass experiment run --preset opin-table1 --preset opin-table2 \\
          --data folder:photos/train --eval-data folder:photos/val \\
          --model resnet18 --output runs/tables
        onepass experiment table runs/tables
        onepass experiment report runs/tables

      To resume an interrupted grid, run the same command again.
      """,
    subcommands: [RunGridCommand.self, TableCommand.self, ReportCommand.self])
}
