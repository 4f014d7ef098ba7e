import OnePassCore

extension RunConfiguration {
  /// The training recipe. The defaults are the paper's: SGD with a cosine schedule.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "fashion-mnist")
  /// configuration.recipe.learningRate = 0.05
  /// configuration.recipe.schedule = .trapezoid
  /// ```
  public struct RecipeOptions: RunOptionGroup {
    /// The number of examples in a mini-batch, 1 … 2^20.
    ///
    /// Where neither it nor ``RunConfiguration/ModelOptions/name`` is set, the stream chooses both at the start of the run.
    @RunOption(
      "batch-size",
      "Mini-batch size (default: chosen from the stream; 128 with --model, --initialise or a preset).",
      helpHasDefault: true, value: "N",
      in: .atLeast(1, atMost: 1 << 20))
    public var batchSize: Int = 128

    /// The peak learning rate of SGD, above 0.
    @RunOption(
      "learning-rate", "Peak learning rate of SGD; see --schedule.", aliases: ["lr"], value: "RATE",
      in: .positive)
    public var learningRate: Double = 0.1

    /// The Nesterov momentum of SGD and Muon, 0 ..< 1.
    @RunOption("momentum", "Nesterov momentum of SGD and Muon.", value: "0..<1", in: .shareBelowOne)
    public var momentum: Double = 0.9

    /// The weight decay (L2 penalty) of SGD, at least 0.
    @RunOption(
      "weight-decay", "Weight decay (L2 penalty) of SGD.", aliases: ["wd"], value: "RATE", in: .notNegative)
    public var weightDecay: Double = 0.0

    /// The parameters that the weight decay of SGD applies to.
    @RunOption(
      "weight-decay-on",
      "Parameters that --weight-decay applies to: all, or filters (filters and matrices, but no biases and no batch normalisation).",
      before: .all, applies: .weightDecay)
    public var weightDecayOn: WeightDecayScope = .all

    /// The optimiser.
    @RunOption(
      "optimiser",
      "Optimiser: sgd, or muon (Muon for the filters of every convolution but the first, SGD for the rest).",
      before: .sgd, deviation: { _ in "Muon" })
    public var optimiser: OptimiserKind = .sgd

    /// The peak learning rate of Muon, above 0. It follows the same schedule as that of SGD.
    @RunOption(
      "muon-learning-rate", "Peak learning rate of Muon; it follows --schedule too.", value: "RATE",
      in: .positive, before: 0.02, applies: .muon)
    public var muonLearningRate: Double = 0.02

    /// The decoupled weight decay of Muon, at least 0: a share of each weight, times the learning rate.
    @RunOption(
      "muon-weight-decay", "Decoupled weight decay of Muon.", value: "RATE",
      in: .notNegative, before: 0, applies: .muon)
    public var muonWeightDecay: Double = 0.0

    /// The learning rate schedule after the warm-up.
    @RunOption(
      "schedule",
      """
      Learning rate schedule: cosine or linear decay to 0, constant, constant with a final cool-down (trapezoid), or \
      constant until SIGUSR1 starts the cool-down (on-demand).
      """, before: .cosine, deviation: { "\($0.rawValue) learning rate" })
    public var schedule: LearningRateSchedule.Shape = .cosine

    /// The length of the linear warm-up as a share of the updates, 0 … 1.
    @RunOption(
      "warm-up", "Length of the learning rate warm-up, as a share of the updates.", value: "0...1",
      in: .share, before: 0, deviation: { "\(Figures.short(100 * $0))% warm-up" })
    public var warmUp: Double = 0.0

    /// The length of the cool-down of a trapezoid or on-demand schedule as a share of the updates, 0 … 1.
    @RunOption(
      "cool-down",
      "Length of the cool-down of the learning rate to 0, as a share of the updates, with --schedule trapezoid or on-demand.",
      value: "0...1", in: .share, before: 0.2, applies: .coolDown)
    public var coolDown: Double = 0.2

    /// The decay of an exponential moving average of the weights, 0 ..< 1; none is kept if 0.
    ///
    /// The average is evaluated and saved in place of the weights.
    @RunOption(
      "weight-average",
      "Decay of an exponential moving average of the weights, such as 0.999, which is evaluated and saved (0: none).",
      value: "0..<1", in: .shareBelowOne, before: 0,
      deviation: { "weights averaged by \($0)" })
    public var weightAverage: Double = 0.0

    /// Whether images are blurred before each strided convolution except the first, to avoid aliasing (Zhang 2019).
    @RunOption(
      "blur-pool",
      "Blur before each strided convolution except the first, to avoid aliasing.",
      before: false, deviation: { _ in "blur pool" })
    public var blurPool: Bool = false

    /// Removed. In records of earlier versions, the initial share of the image side; only 1 is accepted.
    @RunOption(
      "progressive-resolution", "Removed, because growing images made runs worse; only 1 is accepted.",
      value: "1", in: .only(1.0, "progressive resolution was removed"), before: 1,
      deviation: { "images growing from \(Figures.short(100 * $0))% of the side" })
    public var progressiveResolution: Double = 1

    /// Removed. In records of earlier versions, whether running statistics were re-estimated; only `false` is accepted.
    @RunOption(
      "reestimate-batch-norm",
      "Removed, because re-estimated statistics made runs worse; only false is accepted.",
      in: .only(false, "the re-estimation of batch normalisation was removed"), before: false,
      deviation: { _ in "batch norm re-estimated" })
    public var reestimateBatchNorm: Bool = false

    /// ε, the label smoothing, 0 ..< 1.
    @RunOption(
      "label-smoothing", "Label smoothing ε.", value: "0..<1",
      in: .shareBelowOne, before: 0, deviation: { "labels smoothed by \($0)" })
    public var labelSmoothing: Double = 0.0

    /// How images that were already seen are mixed within a mini-batch.
    @RunOption(
      "mixing",
      "Mixing of images already seen, and of their targets, within a mini-batch: none, mixup or cutmix.",
      before: Mixing.none, applies: .repeats, deviation: { "\($0.rawValue) of what was seen before" })
    public var mixing: Mixing = .none

    /// α of Beta(α, α), the distribution of mixing weights, above 0; 0.2 for mixup and 1 for CutMix if `nil`.
    @RunOption(
      "mixing-alpha",
      "α of Beta(α, α), the distribution of mixing weights (default: 0.2 for mixup, 1 for cutmix).",
      value: "ALPHA", in: .positive, applies: .mixing)
    public var mixingAlpha: Double? = nil
  }
}

extension RunConfiguration {
  /// The learning rate schedule.
  var learningRateSchedule: LearningRateSchedule {
    LearningRateSchedule(recipe.schedule, warmUp: recipe.warmUp, coolDown: recipe.coolDown)
  }
}
