import OnePassCore
import OnePassData

/// The model and the mini-batch size that a stream chooses for a run that names neither.
///
/// The paper's ResNet-50 and mini-batches of 128 suit photographs in number. A short stream makes too few updates with them,
/// and small images need a smaller model (results/small-data.md).
struct StreamChoice: Hashable {
  let model: String
  let batchSize: Int

  /// The mini-batch sizes to choose from, the paper's first.
  private static let batchSizes = [128, 64, 32, 16]
  /// The largest mini-batch size with which a run makes this many updates is chosen, or else the smallest.
  static let enoughUpdates = 2_000
  /// The number of small images from which ResNet-20 is chosen instead of ResNet-8.
  static let manySmallImages = 10_000
  /// The number of photographs from which the paper's model is chosen.
  static let manyPhotographs = 50_000

  /// The mini-batch size for a stream of a known length.
  static func batchSize(_ run: RunConfiguration, streamExamples: Int) -> Int {
    batchSizes.first {
      TrainingPlan.updates(run, streamExamples: streamExamples, batchSize: $0) >= enoughUpdates
    }
      ?? batchSizes[batchSizes.count - 1]
  }

  /// The model for images of a size.
  /// - Parameter side: The side length of the model input in pixels.
  static func model(_ run: RunConfiguration, streamExamples: Int, side: Int) -> String {
    guard side > ImagePipeline.largestSmallImage else {
      if run.model.stem == .imageNet { return "resnet18" }
      return streamExamples >= manySmallImages ? "resnet20" : "resnet8"
    }
    return streamExamples >= manyPhotographs ? run.model.name : "resnet18"
  }

  /// The choice as it is recorded in `result.json`.
  var choices: [SourceReport.Choice] {
    var report = SourceReport()
    report.choose("the model", taken: model, others: [])
    report.choose("the mini-batch size", taken: "\(batchSize)", others: [])
    return report.choices
  }

  /// The choice as a notice.
  func notice(streamExamples: Int, side: Int) -> String {
    let length =
      streamExamples == TrainingPlan.endless
      ? "without an end," : "of \(Figures.count(streamExamples, "example"))"
    return "Chose --model \(model) --batch-size \(batchSize) for a stream \(length) "
      + "of \(side) x \(side) pixels; pass either option to set both yourself."
  }
}

extension RunConfiguration {
  /// Whether the stream chooses the model and the mini-batch size: neither is set, and no weights are loaded.
  var isChosenByStream: Bool {
    origin(of: Self.chosenKeys[0]) == .declared && origin(of: Self.chosenKeys[1]) == .declared
      && model.initialise == nil
  }

  /// The keys of the options that a stream chooses.
  static let chosenKeys = ["model", "batchSize"]

  /// This configuration with the choice that a record of the same run has.
  func adoptingChoice(of record: RunConfiguration) -> (configuration: RunConfiguration, choice: StreamChoice?)
  {
    guard isChosenByStream else { return (self, nil) }
    var adopted = self
    (adopted.model.name, adopted.recipe.batchSize) = (record.model.name, record.recipe.batchSize)
    return (adopted, StreamChoice(model: record.model.name, batchSize: record.recipe.batchSize))
  }
}
