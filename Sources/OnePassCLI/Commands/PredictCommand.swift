import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassData

/// The format of predictions.
enum PredictionFormat: String, CaseIterable, ExpressibleByArgument {
  case text, csv
  case jsonLines = "json-lines"
}

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Predict the classes of images.",
    discussion: """
      Prints the most likely classes of each image with their probabilities, in the order of the images. An image can be a \
      file, a folder with images at any depth, `-` for paths on standard input, one per line, or a source as in \
      `train --data`, whose labels are not used. Predictions of paths on standard input are printed as these arrive.

      An image that cannot be read or decoded is reported on standard error, and the others are predicted. The exit status \
      is 65 then.

      Example:
        find photos -name '*.jpg' -print0 | onepass predict --checkpoint runs/a -0 -
      """)

  @Option(
    help: ArgumentHelp("Output folder of `train`.", valueName: "DIR"), completion: .directory)
  var checkpoint: String

  @Option(help: ArgumentHelp("Number of classes to print for each image.", valueName: "N"))
  var top = 5

  @Option(
    help: "Output format; csv has a row for each class, json-lines an object for each image.")
  var format = PredictionFormat.text

  @Flag(help: "Fail at the first image that cannot be predicted or entry that is ignored.")
  var strict = false

  @Flag(
    name: [.customLong("null"), .customShort("0")],
    help: "Paths on standard input end with a zero byte, as those of `find -print0`.")
  var separatedByZero = false

  @OptionGroup(title: "Machine") var compute: ComputeOptions
  @OptionGroup(title: "Machine") var decoding: DecodeOptions

  @Flag(help: "Print the predictions as one JSON array.")
  var json = false

  @Argument(
    help: "Image files (JPEG, PNG, WebP, TIFF, BMP or PNM), folders, `-` or sources.", completion: .file())
  var image: [String]

  func validate() throws { try OptionRange.atLeast(1).check("--top", top) }

  func run() throws {
    try decoding.useMemory()
    let model = try TrainedModel(
      checkpoint: checkpoint, device: compute.chosenDevice, threads: compute.threads)
    if let notice = model.stage.notice(of: checkpoint) { Console.note(notice) }
    var text = PredictionText(json ? .json : .format(format), classNames: model.card.classNames)
    var (count, failures) = (0, 0)
    try Console.write(text.start)
    do {
      for input in try inputs(model) {
        try model.predict(
          input, top: top, isStrict: strict, decodeThreads: decoding.decodeThreads,
          notify: { Console.note($0) },
          receive: { outcomes in
            for case .failed(_, let error) in outcomes {
              Console.error(String(escaping: error.message.utf8))
              failures += 1
            }
            count += outcomes.count
            try Console.write(text.text(outcomes))
          })
      }
    } catch {
      // So that the array of --json is complete.
      try? Console.write(text.end)
      throw error
    }
    try Console.write(text.end)
    if failures > 0 { throw OnePassError.imagesNotPredicted(failures, of: count) }
  }

  /// The inputs in the order of the arguments; consecutive files are one input.
  private func inputs(_ model: TrainedModel) throws -> [any ImageInput] {
    var inputs: [any ImageInput] = []
    var files: [String] = []
    func endFiles() {
      if !files.isEmpty { inputs.append(ImageFiles(files)) }
      files = []
    }
    for path in image {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      if path == "-" {
        endFiles()
        inputs.append(ImageFiles(pathsFrom: STDIN_FILENO, separatedByZero: separatedByZero))
      } else if isFolder.boolValue {
        endFiles()
        inputs.append(ImageFiles([path], specification: path))
      } else if !exists,
        SourceRegistry.kinds.contains(where: { path == $0.name || path.hasPrefix("\($0.name):") })
      {
        endFiles()
        inputs.append(
          SourceImages(
            try SourceRegistry.open(
              path, seed: model.seed, classNames: model.card.classNames, classCount: model.card.classes)))
      } else {
        files.append(path)
      }
    }
    endFiles()
    return inputs
  }
}
