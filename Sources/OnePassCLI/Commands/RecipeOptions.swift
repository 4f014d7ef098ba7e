import ArgumentParser
import OnePass
import OnePassCore

extension OptimiserKind: ExpressibleByArgument {}
extension WeightDecayScope: ExpressibleByArgument {}
extension Mixing: ExpressibleByArgument {}
extension LearningRateSchedule.Shape: ExpressibleByArgument {}

/// What can be changed of the paper's training recipe: SGD along a cosine.
struct RecipeOptions: ParsableArguments {
  @Option(help: "SGD for all, or Muon for the filters of every convolution but the first.")
  var optimiser = OptimiserKind.sgd

  @Option(
    name: .customLong("muon-learning-rate"),
    help: ArgumentHelp("The highest of Muon, with the course of SGD's.", valueName: "RATE"))
  var muonLearningRate = 0.02

  @Option(
    name: .customLong("muon-weight-decay"),
    help: ArgumentHelp("Weight decay of Muon, decoupled from the gradient.", valueName: "RATE"))
  var muonWeightDecay = 0.0

  @Option(
    name: .customLong("weight-decay-on"),
    help:
      "What --weight-decay takes hold of: all, or filters and matrices but neither biases nor batch normalisation."
  )
  var weightDecayOn = WeightDecayScope.all

  @Option(
    help: """
      The course of the learning rates: to 0 along a cosine or a line, constant, or constant with a cool-down at the end \
      (trapezoid), which can be asked for at any time by SIGUSR1 (on-demand).
      """)
  var schedule = LearningRateSchedule.Shape.cosine

  @Option(
    name: .customLong("warm-up"),
    help: ArgumentHelp(
      "The share of the updates over which the learning rates rise at first.", valueName: "0...1"))
  var warmUp = 0.0

  @Option(
    name: .customLong("cool-down"),
    help: ArgumentHelp(
      "Of trapezoid and on-demand, the share of the updates over which the learning rates fall to 0 at the end.",
      valueName: "0...1"))
  var coolDown = 0.2

  @Option(
    name: .customLong("weight-average"),
    help: ArgumentHelp(
      "Evaluate and save a moving average of the weights with this decay, such as 0.999 (0: none).",
      valueName: "0..<1"))
  var weightAverage = 0.0

  @Flag(
    name: .customLong("reestimate-batch-norm"), inversion: .prefixedNo,
    help:
      "At the end take the running statistics of batch normalisation anew, over the memory's images or all data kept."
  )
  var reestimateBatchNorm = false

  @Flag(
    name: .customLong("blur-pool"), inversion: .prefixedNo,
    help:
      "Blur images before each convolution that takes a stride, but the first, so that what it skips is not lost."
  )
  var blurPool = false

  @Option(
    name: .customLong("progressive-resolution"),
    help: ArgumentHelp(
      "Begin with images of this share of the full side; they grow to the full side by the middle of the run (1: full all along).",
      valueName: "0...1"))
  var progressiveResolution = 1.0

  @Option(
    name: .customLong("label-smoothing"),
    help: ArgumentHelp("The share of each target that goes to all classes alike.", valueName: "0..<1"))
  var labelSmoothing = 0.0

  @Option(
    name: .customLong("stored-predictions"),
    help: ArgumentHelp(
      "The share of a replayed image's target that is what the model took it for when it was trained last; the memory keeps that in 12 bytes an item (0: none).",
      valueName: "0..<1"))
  var storedPredictions = 0.0

  @Option(
    help: "Mix the images of a mini-batch that were trained before, and their targets: mixup or cutmix.")
  var mixing = Mixing.none

  @Option(
    name: .customLong("mixing-alpha"),
    help: ArgumentHelp(
      "The shares of mixed images are drawn from Beta(ALPHA, ALPHA) (default: 0.2 for mixup, 1 for cutmix).",
      valueName: "ALPHA"))
  var mixingAlpha: Double?

  func apply(to configuration: inout RunConfiguration) {
    configuration.optimiser = optimiser
    configuration.muonLearningRate = muonLearningRate
    configuration.muonWeightDecay = muonWeightDecay
    configuration.weightDecayOn = weightDecayOn
    configuration.schedule = schedule
    configuration.warmUp = warmUp
    configuration.coolDown = coolDown
    configuration.weightAverage = weightAverage
    configuration.reestimateBatchNorm = reestimateBatchNorm
    configuration.blurPool = blurPool
    configuration.progressiveResolution = progressiveResolution
    configuration.labelSmoothing = labelSmoothing
    configuration.storedPredictions = storedPredictions
    configuration.mixing = mixing
    configuration.mixingAlpha = mixingAlpha
  }
}
