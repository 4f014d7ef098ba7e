import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write one HTML page with the tables, the charts and every cell.",
    discussion: "The page needs no network and opens from disk.")

  @Argument(help: "Folders that `experiment run --output` made.", completion: .directory)
  var directory: [String]

  @Option(
    help: ArgumentHelp("The page (default: report.html in the first folder).", valueName: "FILE"),
    completion: .file(extensions: ["html"]))
  var output: String?

  @Option(
    help: ArgumentHelp("Also write every chart as an SVG file into this folder.", valueName: "DIR"),
    completion: .directory)
  var charts: String?

  @Option(help: ArgumentHelp("The heading of the page.", valueName: "TEXT"))
  var title: String?

  func run() throws {
    let records = try RecordSet(reading: directory)
    for problem in records.problems { Console.error("Left out \(problem.path): \(problem.reason)") }
    let report = Report(records, title: title)
    let page = output ?? "\(directory[0])/report.html"
    try report.write(to: page)
    try Console.result(
      "\(page): \(Figures.count(records.records.count, "run"))"
        + (records.problems.isEmpty ? "" : ", \(records.problems.count) left out"))
    if let charts {
      let names = try report.writeCharts(in: charts)
      try Console.result("\(charts): \(names.joined(separator: ", "))")
    }
  }
}
