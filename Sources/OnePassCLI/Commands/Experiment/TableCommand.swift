import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

extension TableLayout: ExpressibleByArgument {}

/// How a table is written.
enum TableFormat: String, CaseIterable, ExpressibleByArgument {
  case text, markdown, csv, json
}

struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Print the paper's tables with the figures of finished runs beside the paper's.",
    discussion: """
      Layouts: table1 and table2 (the paper's), ablations (each change against the method, paired by seed), recipe \
      (another recipe against the paper's), claims (the paper's claims, one by one), variants (everything). Without --layout all are printed.
      """)

  @Argument(help: "Folders that `experiment run --output` made.", completion: .directory)
  var directory: [String]

  @Option(help: "Which table; can be given more than once.")
  var layout: [TableLayout] = []

  @Option(help: "How it is written: for people (text, markdown) or for programs (csv, json: bare figures).")
  var format = TableFormat.text

  func run() throws {
    let records = try RecordSet(reading: directory)
    for problem in records.problems { Console.error("Left out \(problem.path): \(problem.reason)") }
    let layouts = layout.isEmpty ? TableLayout.allCases : layout
    if format == .csv, layouts.count != 1 {
      throw OnePassError(.usage, "CSV holds one table: say which with --layout.")
    }
    let tables = Setting.settings(of: records.records).flatMap { setting in
      layouts.compactMap { $0.table(of: setting) }
    }
    guard !tables.isEmpty else {
      throw OnePassError(
        .badData,
        "Nothing was run that belongs in \(layouts.map(\.rawValue).joined(separator: " or ")): "
          + "see what there is with --layout variants.")
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
  /// The table as it stands on a terminal.
  fileprivate var plainText: String {
    var table = TextTable(header: columns.map(\.name), isText: columns.map { !$0.isNumeric })
    table.rows = rows
    return ([heading, table.text] + notes).joined(separator: "\n")
  }
}
