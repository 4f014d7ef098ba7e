import OnePassCore

/// What a run was asked to do; every option with its default.
///
/// The defaults are the paper's setting (Hu et al. 2021, section 4.1): error-prioritised replay of k = 8
/// mini-batches from 10 % storage, SGD with Nesterov momentum 0.9, learning rate 0.1 with cosine decay.
///
/// ```swift
/// var configuration = RunConfiguration(data: "folder:photos/train")
/// configuration.data.evaluationSource = "folder:photos/val"
/// configuration.replay.steps = 3
/// let result = try TrainingRun(configuration).start()
/// ```
public struct RunConfiguration: Hashable, Sendable {
  public var data: DataOptions = .init()
  public var model: ModelOptions = .init()

  @RunOption("method", "How the stream is used.")
  public var method: Method = .replay

  /// Passes of multi-epoch training.
  @RunOption(
    "epochs", "Passes of multi-epoch training.", value: "E", in: .atLeast(1, atMost: 1 << 20),
    applies: .multiEpoch)
  public var epochs: Int = 90

  @RunOption("seed", "Fixes every random choice.", value: "S")
  public var seed: UInt64 = 1

  public var replay: ReplayOptions = .init()
  public var memory: MemoryOptions = .init()
  public var step: StepOptions = .init()
  public var augmentation: AugmentationOptions = .init()
  public var recipe: RecipeOptions = .init()
  public var machine: MachineOptions = .init()

  public init(data: String) { self.data.source = data }

  /// The paper's method and recipe, on no data: what every option is if nothing is said.
  package static let defaults = RunConfiguration(data: "")
}

// In a record all options lie side by side, whatever their groups. A record of a run states every option, so that reading it
// never depends on the defaults of today's program. Keys that this program does not know are passed over.
extension RunConfiguration: Codable {
  public init(from decoder: any Decoder) throws {
    self.init(data: "")
    let record = try decoder.container(keyedBy: OptionKey.self)
    for place in places { try place.option.read(from: record) }
  }

  public func encode(to encoder: any Encoder) throws {
    var record = encoder.container(keyedBy: OptionKey.self)
    for place in places { try place.option.write(to: &record) }
  }
}
