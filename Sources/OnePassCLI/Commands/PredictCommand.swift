import ArgumentParser
import OnePass
import OnePassCore

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Predict the classes of images.",
    discussion: "Prints the most likely classes of each image with their probabilities.")

  @Option(
    help: ArgumentHelp("Output folder of `train`.", valueName: "DIR"), completion: .directory)
  var checkpoint: String

  @Option(help: ArgumentHelp("Number of classes to print for each image.", valueName: "N"))
  var top = 5

  @OptionGroup(title: "Machine") var compute: ComputeOptions

  @Flag(help: "Print the predictions as JSON.")
  var json = false

  @Argument(help: "Image files: JPEG, PNG, WebP, TIFF, BMP or PNM.", completion: .file())
  var image: [String]

  func validate() throws { try OptionRange.atLeast(1).check("--top", top) }

  func run() throws {
    let model = try TrainedModel(
      checkpoint: checkpoint, device: compute.chosenDevice, threads: compute.threads)
    let predictions = try model.predict(image, top: top)
    if json {
      try Console.result(JSON.text(predictions))
      return
    }
    for prediction in predictions {
      let classes = prediction.classes.map { "\($0.name) \(Figures.percent($0.probability))" }
      try Console.result("\(prediction.image): \(classes.joined(separator: ", "))")
    }
  }
}
