import ArgumentParser
import OnePass
import OnePassCore

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare runs in accuracy, storage and compute.",
    discussion: "A run that is not finished is shown as of its last checkpoint, without an accuracy.")

  @Argument(
    help: ArgumentHelp("Output folders of `train`.", valueName: "DIR"), completion: .directory)
  var runs: [String]

  func run() throws {
    var table = TextTable(header: [
      "run", "method", "model", "top-1", "storage", "bytes", "compute", "images/s", "time",
    ])
    for path in runs {
      let run = try RunSummary(of: path)
      if let notice = run.stage.notice(of: path) { Console.note(notice) }
      table.rows.append([
        path, run.title, run.modelTitle, run.top1.map { Figures.percent($0, decimals: 2) } ?? "-",
        Figures.percent(run.storedFraction), Figures.percent(run.storedByteFraction),
        Figures.percent(run.computeFraction), Figures.count(Int(run.imagesPerSecond)),
        Figures.duration(run.seconds),
      ])
    }
    try Console.result(table.text)
  }
}
