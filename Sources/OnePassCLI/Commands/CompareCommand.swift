import ArgumentParser
import OnePass
import OnePassCore

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare finished runs in accuracy, storage and compute.")

  @Argument(
    help: ArgumentHelp("Output folders of `train`.", valueName: "DIR"), completion: .directory)
  var runs: [String]

  func run() throws {
    var table = TextTable(header: [
      "run", "method", "model", "top-1", "storage", "bytes", "compute", "images/s", "time",
    ])
    for path in runs {
      let result = try RunFiles.result(in: path)
      table.rows.append([
        path, result.configuration.title, result.configuration.modelTitle,
        result.accuracy.map { Figures.percent($0.top1, decimals: 2) } ?? "-",
        Figures.percent(result.storage.exampleFraction),
        Figures.percent(result.storage.byteFraction),
        Figures.percent(result.compute.fraction),
        Figures.count(Int(result.throughput.imagesPerSecond)),
        Figures.duration(result.wallSeconds),
      ])
    }
    try Console.result(table.text)
  }
}
