import ArgumentParser
import OnePass
import OnePassData

struct AugmentationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What training images get beyond crop and flip: standard (nothing), rand (RandAugment) or trivial (TrivialAugment), "
        + "cut-out, or two of them, as in rand,cut-out.",
      valueName: "NAME[,NAME]"),
    completion: .words(["standard", "rand", "trivial", "cut-out", "rand,cut-out", "trivial,cut-out"]))
  var augmentation = AugmentationChoice.standard.rawValue

  @Option(
    name: .customLong("augmentation-magnitude"),
    help: ArgumentHelp(
      "The share of the largest magnitude that operations have (default: 0.3 with rand, 1 with trivial, where each is drawn up to it).",
      valueName: "0...1"))
  var magnitude: Double?

  @Option(
    name: .customLong("augmentation-growth"),
    help: ArgumentHelp(
      "The visits of an image until its augmentation has the full strength; 0 augments arriving images too.",
      valueName: "V"))
  var growth = 1.0

  func apply(to configuration: inout RunConfiguration) throws {
    configuration.augmentation = try AugmentationChoice(augmentation)
    configuration.augmentationMagnitude = magnitude
    configuration.augmentationGrowth = growth
  }
}
