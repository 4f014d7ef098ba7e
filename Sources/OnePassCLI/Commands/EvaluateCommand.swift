import ArgumentParser
import OnePass
import OnePassCore

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Evaluate a trained model on labelled images.")

  @Option(
    help: ArgumentHelp("Output folder of `train`.", valueName: "DIR"), completion: .directory)
  var checkpoint: String

  @Option(
    help: ArgumentHelp("Labelled images, as in `train --data`.", valueName: "SPEC"),
    completion: .specification)
  var data: String

  @Option(help: ArgumentHelp("Maximum number of examples.", valueName: "N"))
  var limit: Int?

  @Option(declared.data.$labelKey, isShown: true, completion: .words(["cls", "folder", "json:"])) var labelKey
  @Option(declared.data.$imageColumn, isShown: true) var imageColumn
  @Option(declared.data.$labelColumn, isShown: true) var labelColumn
  @Flag(declared.data.$strict, isShown: true) var strict

  @OptionGroup(title: "Machine") var compute: ComputeOptions
  @OptionGroup(title: "Machine") var decoding: DecodeOptions

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Do not show progress.")
  var quiet = false

  func run() throws {
    try declared.data.$limit.check(limit)
    let display = ProgressDisplay(quiet: quiet)
    defer { display.closeLine() }
    let model = try TrainedModel(
      checkpoint: checkpoint, device: compute.chosenDevice, threads: compute.threads)
    let accuracy = try model.evaluate(
      data, limit: limit, labelKey: labelKey?.read(), imageColumn: imageColumn, labelColumn: labelColumn,
      isStrict: strict, decodeThreads: decoding.decodeThreads
    ) { display.show($0) }
    display.closeLine()
    if json {
      try Console.result(JSON.text(accuracy))
      return
    }
    try Console.result("top-1   \(Figures.percent(accuracy.top1, decimals: 2))")
    if let top5 = accuracy.top5 { try Console.result("top-5   \(Figures.percent(top5, decimals: 2))") }
    try Console.result(
      "loss    \(Figures.loss(accuracy.loss)) nats over \(Figures.count(accuracy.examples)) examples"
        + (accuracy.skipped > 0 ? ", \(Figures.count(accuracy.skipped)) broken images skipped" : ""))
  }
}
