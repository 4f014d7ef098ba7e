import OnePassCore

/// All options of a run, with the defaults of the paper (Hu et al. 2021, section 4.1).
///
/// By default, k = 8 mini-batches are replayed by loss from a memory of 10 % of the stream. The optimiser is SGD with
/// Nesterov momentum 0.9 and a learning rate of 0.1 with cosine decay.
///
/// ```swift
/// var configuration = RunConfiguration(data: "folder:photos/train")
/// configuration.data.evaluationSource = "folder:photos/val"
/// configuration.replay.steps = 3
/// let result = try TrainingRun(configuration).start()
/// ```
public struct RunConfiguration: Hashable, Sendable {
  /// The training stream and the evaluation data.
  public var data: DataOptions = .init()
  /// The architecture and its initial weights.
  public var model: ModelOptions = .init()

  /// The training method.
  @RunOption(
    "method",
    "Training method: one pass (naive), one pass with a replay memory (replay), or several passes (multi-epoch)."
  )
  public var method: Method = .replay

  /// The number of passes of multi-epoch training, 1 … 2^20.
  @RunOption(
    "epochs", "Number of passes, with --method multi-epoch.", value: "E", in: .atLeast(1, atMost: 1 << 20),
    applies: .multiEpoch)
  public var epochs: Int = 90

  /// The random seed. All random choices are functions of it.
  @RunOption("seed", "Random seed.", value: "S")
  public var seed: UInt64 = 1

  /// The seed of the order of the stream alone: of shuffled sources, the shuffle buffer, and each pass of multi-epoch training.
  ///
  /// The order follows ``seed`` if `nil`. All other random choices follow ``seed`` anyway.
  @RunOption(
    "order-seed", "Random seed of the order of the stream alone (default: the seed).", value: "S",
    applies: .seededOrder)
  public var orderSeed: UInt64? = nil

  /// The number of replays and the priorities of examples.
  public var replay: ReplayOptions = .init()
  /// The replay memory.
  public var memory: MemoryOptions = .init()
  /// How the mini-batches of a step are trained.
  public var step: StepOptions = .init()
  /// Augmentation beyond random crop and flip.
  public var augmentation: AugmentationOptions = .init()
  /// The optimiser, its schedule and regularisation.
  public var recipe: RecipeOptions = .init()
  /// How a stream of a broker is read.
  public var live: LiveOptions = .init()
  /// The device, its precision and threads.
  public var machine: MachineOptions = .init()

  /// Creates a configuration with default options.
  /// - Parameter data: The training stream, as a source specification.
  public init(data: String) { self.data.source = data }

  /// The seed of the order of the stream: ``orderSeed``, or ``seed`` without one.
  public var seedOfOrder: UInt64 { orderSeed ?? seed }

  /// The paper's method and recipe, without data.
  package static let defaults = RunConfiguration(data: "")
}

// A record is flat: it has all options without their groups. It states every option, so that reading it never depends on the
// defaults of the reading version. Unknown keys are ignored.
extension RunConfiguration: Codable {
  /// Decodes a record of this or an earlier version.
  public init(from decoder: any Decoder) throws {
    self.init(data: "")
    let record = try decoder.container(keyedBy: OptionKey.self)
    for place in places { try place.option.read(from: record) }
  }

  /// Encodes all options but those that are `nil`.
  public func encode(to encoder: any Encoder) throws {
    var record = encoder.container(keyedBy: OptionKey.self)
    for place in places { try place.option.write(to: &record) }
  }
}
