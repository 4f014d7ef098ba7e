import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

/// The format of an evaluation on standard output.
enum EvaluationFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json, csv
}

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Evaluate a trained model on labelled images.",
    discussion: """
      Prints accuracy and loss, the accuracy by class and the most frequent confusions. The folder of --output has \
      evaluation.json, classes.csv, confusion.csv (rows are true classes) and errors.html, a page with the misclassified \
      images of the highest losses. It must be new or empty. The page contains copies of images.

      Classes are matched by name, or by number where names are numbers. A label that is a number is the position of the \
      class in the model. If only the data names its classes, pass the names in the order of the model's numbers with \
      --classes.
      """)

  @Option(
    help: ArgumentHelp("Output folder of `train`.", valueName: "DIR"), completion: .directory)
  var checkpoint: String

  @Option(
    help: ArgumentHelp("Labelled images, as in `train --data`.", valueName: "SPEC"),
    completion: .specification)
  var data: String

  @Option(
    help: ArgumentHelp(
      "Class names in label order, one per line, for a model whose classes have no names.", valueName: "FILE"),
    completion: .file(extensions: ["txt"]))
  var classes: String?

  @Option(help: ArgumentHelp("Maximum number of examples.", valueName: "N"))
  var limit: Int?

  @Option(
    help: ArgumentHelp("Folder for tables and a page with the worst errors.", valueName: "DIR"),
    completion: .directory)
  var output: String?

  @Option(
    help: ArgumentHelp("Number of images on the page of --output (default: 50).", valueName: "N"))
  var errors: Int?

  @Option(declared.data.$labelKey, isShown: true, completion: .words(["cls", "folder", "json:"])) var labelKey
  @Option(declared.data.$imageColumn, isShown: true) var imageColumn
  @Option(declared.data.$labelColumn, isShown: true) var labelColumn
  @Flag(declared.data.$strict, isShown: true) var strict

  @OptionGroup(title: "Machine") var compute: ComputeOptions
  @OptionGroup(title: "Machine") var decoding: DecodeOptions

  @Option(help: "Format of standard output; json has all figures, csv the accuracy by class.")
  var format = EvaluationFormat.text

  @Flag(help: "Print the result as JSON, as --format json does.")
  var json = false

  @Flag(name: .shortAndLong, help: "Do not show progress.")
  var quiet = false

  func validate() throws {
    try errors.map { try OptionRange.between(0, 1_000).check("--errors", $0) }
    if errors != nil, output == nil { throw OnePassError.errorsWithoutOutput() }
  }

  func run() throws {
    try declared.data.$limit.check(limit)
    try decoding.useMemory()
    let classNames = try classes.map { try ClassNamesFile.read($0) }
    let folder = try output.map { try EvaluationFolder(creating: $0) }
    let display = ProgressDisplay(quiet: quiet)
    defer { display.closeLine() }
    let model = try TrainedModel(
      checkpoint: checkpoint, device: compute.chosenDevice, threads: compute.threads)
    if let notice = model.stage.notice(of: checkpoint) { display.show(.notice(notice)) }
    let evaluation = try model.evaluation(
      on: data, mistakes: folder == nil ? 0 : errors ?? 50, limit: limit, labelKey: labelKey?.read(),
      imageColumn: imageColumn, labelColumn: labelColumn, classNames: classNames, isStrict: strict,
      decodeThreads: decoding.decodeThreads
    ) { display.show($0) }
    display.closeLine()
    try folder?.write(evaluation, of: checkpoint)
    switch json ? .json : format {
    case .json: try Console.result(JSON.text(evaluation))
    case .csv: try Console.result(evaluation.classesCSV)
    case .text: try Console.result(EvaluationText(evaluation).text)
    }
  }
}
