import OnePassCore

extension RunConfiguration {
  /// The training recipe; the defaults are the paper's, SGD along a cosine.
  public struct RecipeOptions: RunOptionGroup {
    @RunOption("batch-size", "Examples in a mini-batch.", value: "N", in: .atLeast(1, atMost: 1 << 20))
    public var batchSize: Int = 128

    @RunOption(
      "learning-rate", "Peak learning rate of SGD; --schedule says how it changes.", value: "RATE",
      in: .positive)
    public var learningRate: Double = 0.1

    @RunOption("momentum", "Nesterov momentum.", value: "0..<1", in: .shareBelowOne)
    public var momentum: Double = 0.9

    @RunOption("weight-decay", "L2 penalty of SGD.", value: "RATE", in: .notNegative)
    public var weightDecay: Double = 0.0

    /// What the weight decay of SGD applies to.
    @RunOption(
      "weight-decay-on",
      "What --weight-decay applies to: all, or filters and matrices but neither biases nor batch normalisation.",
      before: .all, applies: .weightDecay)
    public var weightDecayOn: WeightDecayScope = .all

    @RunOption(
      "optimiser", "SGD for all, or Muon for the filters of every convolution but the first.", before: .sgd,
      deviation: { _ in "Muon" })
    public var optimiser: OptimiserKind = .sgd

    /// The highest learning rate of Muon, where there is one; it follows the same schedule.
    @RunOption(
      "muon-learning-rate", "Peak learning rate of Muon, with the course of SGD's.", value: "RATE",
      in: .positive, before: 0.02, applies: .muon)
    public var muonLearningRate: Double = 0.02

    /// Muon's weight decay, which is decoupled from the gradient: a share of each weight, times the learning rate.
    @RunOption(
      "muon-weight-decay", "Weight decay of Muon, decoupled from the gradient.", value: "RATE",
      in: .notNegative, before: 0, applies: .muon)
    public var muonWeightDecay: Double = 0.0

    /// The course of the learning rates after the warm-up.
    @RunOption(
      "schedule",
      """
      The course of the learning rates: to 0 along a cosine or a line, constant, or constant with a cool-down at the end \
      (trapezoid), which can be asked for at any time by SIGUSR1 (on-demand).
      """, before: .cosine, deviation: { "\($0.rawValue) learning rate" })
    public var schedule: LearningRateSchedule.Shape = .cosine

    /// The share of the updates over which the learning rates rise.
    @RunOption(
      "warm-up", "The share of the updates over which the learning rates rise at first.", value: "0...1",
      in: .share, before: 0, deviation: { "\(Figures.short(100 * $0))% warm-up" })
    public var warmUp: Double = 0.0

    /// Of a trapezoid, planned or on demand: the share of the updates over which the learning rates fall at the end.
    @RunOption(
      "cool-down",
      "Of trapezoid and on-demand, the share of the updates over which the learning rates fall to 0 at the end.",
      value: "0...1", in: .share, before: 0.2, applies: .coolDown)
    public var coolDown: Double = 0.2

    /// The decay of the moving average of the weights that is evaluated and saved; none is taken if 0.
    @RunOption(
      "weight-average",
      "Evaluate and save a moving average of the weights with this decay, such as 0.999 (0: none).",
      value: "0..<1", in: .shareBelowOne, before: 0,
      deviation: { "weights averaged by \($0)" })
    public var weightAverage: Double = 0.0

    /// Whether images are blurred before each convolution that takes a stride, so that what it skips is not lost.
    @RunOption(
      "blur-pool",
      "Blur images before each convolution that takes a stride, but the first, so that what it skips is not lost.",
      before: false, deviation: { _ in "blur pool" })
    public var blurPool: Bool = false

    /// Removed. Records of earlier versions tell the share of the full side with which training images began.
    @RunOption(
      "progressive-resolution", "Removed: growing images made runs worse. Only 1 is accepted.", value: "1",
      in: .only(1.0, "growing images were removed"), before: 1,
      deviation: { "images growing from \(Figures.short(100 * $0))% of the side" })
    public var progressiveResolution: Double = 1

    /// Removed. Records of earlier versions tell whether running statistics were taken again at the end.
    @RunOption(
      "reestimate-batch-norm", "Removed: re-estimated statistics made runs worse. Only false is accepted.",
      in: .only(false, "the re-estimation of batch normalisation was removed"), before: false,
      deviation: { _ in "batch norm re-estimated" })
    public var reestimateBatchNorm: Bool = false

    /// ε: the share of an image's target that all classes have alike.
    @RunOption(
      "label-smoothing", "The share of each target that goes to all classes alike.", value: "0..<1",
      in: .shareBelowOne, before: 0, deviation: { "labels smoothed by \($0)" })
    public var labelSmoothing: Double = 0.0

    /// What is made of the images of a mini-batch that were trained before.
    @RunOption(
      "mixing",
      "Mix the images of a mini-batch that were trained before, and their targets: mixup or cutmix.",
      before: Mixing.none, deviation: { "\($0.rawValue) of what was seen before" })
    public var mixing: Mixing = .none

    /// The α of Beta(α, α), from which the shares of mixed images are drawn; 0.2 for mixup and 1 for CutMix if `nil`.
    @RunOption(
      "mixing-alpha",
      "The shares of mixed images are drawn from Beta(ALPHA, ALPHA) (default: 0.2 for mixup, 1 for cutmix).",
      value: "ALPHA", in: .positive, applies: .mixing)
    public var mixingAlpha: Double? = nil
  }
}

extension RunConfiguration {
  /// The course of the learning rates.
  var learningRateSchedule: LearningRateSchedule {
    LearningRateSchedule(recipe.schedule, warmUp: recipe.warmUp, coolDown: recipe.coolDown)
  }

  /// The classes over which the memory keeps predictions, where it keeps any.
  func predictedClasses(of plan: TrainingPlan) -> Int? {
    memory.storedPredictions > 0 ? plan.classes : nil
  }
}
