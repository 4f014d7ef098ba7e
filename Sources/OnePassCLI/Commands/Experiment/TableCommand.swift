import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

extension TableLayout: ExpressibleByArgument {}

/// The format of a table.
enum TableFormat: String, CaseIterable, ExpressibleByArgument {
  case text, markdown, csv, json
}

struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Print tables of finished runs beside the paper's values.",
    discussion: """
      Layouts:
        table1, table2  the paper's Tables 1 and 2
        ablations       each ablation against the paper's method
        recipe          other recipes against the paper's recipe
        claims          the paper's claims, with verdicts
        variants        all runs
      """)

  @Argument(help: "Output folders of `experiment run`.", completion: .directory)
  var directory: [String]

  @Option(help: "Table to print; can be repeated (default: all).")
  var layout: [TableLayout] = []

  @Option(help: "Output format; csv and json have unrounded values.")
  var format = TableFormat.text

  func run() throws {
    let records = try RecordSet(reading: directory)
    for problem in records.problems { Console.error("Skipped \(problem.path): \(problem.reason)") }
    let layouts = layout.isEmpty ? TableLayout.allCases : layout
    if format == .csv, layouts.count != 1 {
      throw OnePassError.severalTablesInCSV()
    }
    let tables = Setting.settings(of: records.records).flatMap { setting in
      layouts.compactMap { $0.table(of: setting) }
    }
    guard !tables.isEmpty else {
      throw OnePassError.noRuns(for: layouts.map(\.rawValue))
    }
    switch format {
    case .text: try Console.result(tables.map(\.plainText).joined(separator: "\n\n"))
    case .markdown: try Console.result(tables.map(\.markdown).joined(separator: "\n\n"))
    case .csv: try Console.result(ResultTable.csv(of: tables))
    case .json: try Console.result(JSON.text(tables))
    }
  }
}

extension ResultTable {
  /// The table as aligned text.
  fileprivate var plainText: String {
    var table = TextTable(header: columns.map(\.name), isText: columns.map { !$0.isNumeric })
    table.rows = rows
    return ([heading, table.text] + notes).joined(separator: "\n")
  }
}
