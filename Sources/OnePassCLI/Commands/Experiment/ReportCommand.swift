import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write an HTML report with tables, charts and all runs.",
    discussion: "The report is a single file that needs no network.")

  @Argument(help: "Output folders of `experiment run`.", completion: .directory)
  var directory: [String]

  @Option(
    help: ArgumentHelp("File of the report (default: report.html in the first folder).", valueName: "FILE"),
    completion: .file(extensions: ["html"]))
  var output: String?

  @Option(
    help: ArgumentHelp("Also write each chart as an SVG file to this folder.", valueName: "DIR"),
    completion: .directory)
  var charts: String?

  @Option(help: ArgumentHelp("Heading of the report.", valueName: "TEXT"))
  var title: String?

  func run() throws {
    let records = try RecordSet(reading: directory)
    for problem in records.problems { Console.error("Skipped \(problem.path): \(problem.reason)") }
    let report = Report(records, title: title)
    let page = output ?? "\(directory[0])/report.html"
    try report.write(to: page)
    try Console.result(
      "\(page): \(Figures.count(records.records.count, "run"))"
        + (records.problems.isEmpty ? "" : ", \(records.problems.count) skipped"))
    if let charts {
      let names = try report.writeCharts(in: charts)
      try Console.result("\(charts): \(names.joined(separator: ", "))")
    }
  }
}
