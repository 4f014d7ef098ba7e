import OnePassCore
import OnePassData
import TestSupport

@testable import OnePass

extension RunConfiguration {
  /// A small model in mini-batches of 16, on one thread of the CPU.
  static func small(on data: String, replaySteps: Int) -> RunConfiguration {
    var configuration = RunConfiguration(data: data)
    (configuration.model.name, configuration.recipe.batchSize) = ("resnet8", 16)
    (configuration.replay.steps, configuration.recipe.learningRate) = (replaySteps, 0.05)
    (configuration.machine.threads, configuration.machine.decodeThreads) = (1, 1)
    configuration.machine.device = "cpu"
    return configuration
  }
}

extension StripedImages {
  /// An image as a program hands it to a run.
  func labelled(_ index: Int) -> LabelledImage {
    LabelledImage(
      EncodedImage(bytes: pixels(index), encoding: .pixels(width: side, height: side, channels: 1)),
      label: label(index))
  }
}
