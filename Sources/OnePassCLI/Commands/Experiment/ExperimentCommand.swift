import ArgumentParser

struct ExperimentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "Compare methods on accuracy, storage and compute: grids of runs, tables, a report.",
    discussion: """
      The paper's tables on your data, in three commands:
        onepass experiment run --preset opin-table1 --preset opin-table2 --data folder:photos/train \\
          --eval-data folder:photos/val --model resnet18 --output runs/tables
        onepass experiment table runs/tables
        onepass experiment report runs/tables

      A grid that is broken off goes on where it was when the same command is given again.
      """,
    subcommands: [RunGridCommand.self, TableCommand.self, ReportCommand.self])
}
