import OnePassCore
import OnePassData
import OnePassReplay
import Testing

@testable import OnePass

/// The one rule: an option that is given although it has no effect is refused.
@Suite("Options without effect are refused") struct OptionRuleTests {
  /// Configurations in which some options have no effect. Each option has an effect in at least one of them.
  static let contexts: [(name: String, run: RunConfiguration)] = [
    ("replay", run { _ in }),
    ("naive", run { $0.method = .naive }),
    ("multi-epoch", run { $0.method = .multiEpoch }),
    ("k = 0", run { $0.replay.steps = 0 }),
    ("uniform", run { $0.replay.priority = .uniform }),
    ("resized", run { $0.memory.encoding = .resized }),
    ("rand", run { $0.augmentation.choice = AugmentationChoice(policy: .rand) }),
    ("cut-out", run { $0.augmentation.choice = AugmentationChoice(cutsOut: true) }),
    ("Muon", run { $0.recipe.optimiser = .muon }),
    ("weight decay", run { $0.recipe.weightDecay = 0.1 }),
    ("trapezoid", run { $0.recipe.schedule = .trapezoid }),
    ("mixup", run { $0.recipe.mixing = .mixup }),
    ("evaluation", run { $0.data.evaluationSource = "test" }),
    ("time to live", run { $0.memory.timeToLive = .examples(5) }),
    ("resnet8", run { $0.model.name = "resnet8" }),
    ("shards", run { $0.data.source = "wds:d.tar" }),
    ("a stream of a broker", run { $0.data.source = "redis://h/s" }),
  ]

  static func run(_ change: (inout RunConfiguration) -> Void) -> RunConfiguration {
    var run = RunConfiguration(data: "d")
    change(&run)
    return run
  }

  static let declared = RunConfiguration.defaults.places.filter { !$0.option.isRemoved }
  static let conditional = declared.filter(\.isConditional).map(\.option.name)

  /// A value of each option with which its condition can fail; the default of others.
  static func value(of name: String) throws -> (key: String, value: Any) {
    let option = try #require(declared.first { $0.option.name == name }).option
    let other: [String: Any] = [
      "stem": Stem.imageNet, "keep-pictures": 3, "eval-limit": 5, "eval-every": 5,
      "subject-key": SubjectKey.stem,
      "shuffle-buffer": ShuffleBufferSize.examples(5), "augmentation-magnitude": 0.5, "mixing-alpha": 0.5,
      "memory-size": 16, "memory-quality": 50, "memory-directory": "m", "memory-key": "k",
      "time-to-live": TimeToLive.examples(9), "order-seed": UInt64(7), "broker-config": "b",
      "stream": StreamShape.bursts(mean: 5), "drift": try DriftMethod("kswin:0.01"),
      "message-limit": try MessageLimit("5MB"),
      "until": try StreamEnd("2030-01-01"),
    ]
    return (option.key, try #require(other[name] ?? option.value, "\(name)"))
  }

  /// The configuration of a context with the option given.
  static func giving(_ name: String, in context: RunConfiguration) throws -> RunConfiguration {
    let (key, value) = try value(of: name)
    let given = context.keeping { _ in true }
    try #require(given.places.first { $0.option.key == key }).option.take(value, from: .given)
    return given
  }

  @Test(
    "Each option with a condition is refused where it has no effect, and accepted elsewhere",
    arguments: conditional)
  func eachConditionIsChecked(name: String) throws {
    var (refused, accepted) = (0, 0)
    for (context, run) in Self.contexts {
      let given = try Self.giving(name, in: run)
      let place = try #require(given.places.first { $0.option.name == name })
      guard let obstacle = place.obstacle(in: given) else {
        accepted += 1
        continue
      }
      refused += 1
      let text = "--\(name) has no effect \(obstacle.reason); omit it, or \(obstacle.remedy)."
      #expect {
        try given.validate()
      } throws: {
        ($0 as? OnePassError)?.code == .usage && "\($0)" == text
      }
      #expect(
        !given.essence.places.contains {
          $0.option.name == name && name != "epochs" && !$0.option.isStandard
        }, "\(context)")
      #expect(given.asRecord.idleOptions.isEmpty, "a record states every option")
    }
    #expect(refused > 0 && accepted > 0, "\(refused) refused, \(accepted) accepted")
  }

  @Test("An option without a condition is never refused for want of an effect")
  func otherOptionsAreNeverRefused() throws {
    for place in Self.declared where !place.isConditional {
      for (context, run) in Self.contexts {
        #expect(place.obstacle(in: run) == nil, "\(place.option.name) in \(context)")
      }
    }
    #expect(Self.conditional.count > 30 && Self.declared.count - Self.conditional.count > 20)
  }

  /// A program that sets an option to its default has set it.
  @Test("A given default is refused like any other value")
  func aGivenDefaultIsRefused() throws {
    var run = Self.run { $0.method = .naive }
    try run.validate()
    run.epochs = 90
    #expect { try run.validate() } throws: {
      "\($0)".hasPrefix("--epochs has no effect with --method naive;")
    }
    #expect(!run.fileText.contains("\nepochs:") && !run.fileText.contains("\nstorage:"))
    #expect(RunConfiguration.defaults.fileText.contains("\nstorage:"))
    #expect(!RunConfiguration.defaults.fileText.contains("progressive-resolution"))
  }

  @Test("A preset keeps those of its options that have an effect")
  func aPresetDropsOptionsWithoutEffect() throws {
    let preset: [String: Any] = ["augmentation": AugmentationChoice(policy: .rand), "recencyBias": 1e6]
    let naive = RunConfiguration(values: ["data": "d", "method": Method.naive], preset: preset)
    try naive.validate()
    #expect(naive.augmentation.choice.isStandard && naive.memory.recencyBias == 1.5)
    let replay = RunConfiguration(values: ["data": "d"], preset: preset)
    #expect(replay.augmentation.choice.policy == .rand && replay.memory.recencyBias == 1e6)
    #expect(!replay.isChosenByStream && RunConfiguration(values: ["data": "d"]).isChosenByStream)
  }

  @Test("Aliases and switches name one option each")
  func aliasesNameOneOption() {
    let names = Self.declared.flatMap { [$0.option.name] + $0.option.aliases + $0.option.switchTexts.keys }
    // --classes sets one of three options.
    #expect(Set(names).count == names.count - 2)
    func canonical(_ name: String, _ value: String) -> [String] {
      let option = RunConfiguration.canonical(name: name, value: value)
      return [option.name, option.value]
    }
    #expect(
      canonical("lr", "0.1") == ["learning-rate", "0.1"] && canonical("wd", "1") == ["weight-decay", "1"])
    #expect(
      canonical("k", "3") == ["replay-steps", "3"] && canonical("workers", "2") == ["decode-threads", "2"])
    #expect(canonical("amp", "true") == ["precision", "bfloat16"])
    #expect(canonical("amp", "false") == ["precision", "float32"])
    #expect(
      canonical("amp", "maybe") == ["amp", "maybe"] && canonical("quiet", "true") == ["quiet", "true"])
  }
}
