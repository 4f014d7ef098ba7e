import OnePassCore
import OnePassData
import OnePassModels

/// The condition under which an option has an effect.
///
/// An option that is set although its condition is not met is refused, see ``RunConfiguration/validate()``.
struct OptionCondition: Sendable {
  /// Why an option has no effect, and how it would have one.
  struct Obstacle: Hashable, Sendable {
    /// The option that prevents an effect, as `with --method naive`.
    let reason: String
    /// What gives it an effect, as `pass --method replay`.
    let remedy: String

    init(_ reason: String, _ remedy: String) { (self.reason, self.remedy) = (reason, remedy) }
  }

  /// What prevents an effect; `nil` where the condition is met.
  let obstacle: @Sendable (RunConfiguration) -> Obstacle?
  /// Whether the condition is always met.
  var isAlwaysMet = false

  init(_ obstacle: @escaping @Sendable (RunConfiguration) -> Obstacle?) { self.obstacle = obstacle }

  /// Whether an option with this condition has an effect.
  func holds(_ run: RunConfiguration) -> Bool { obstacle(run) == nil }
}

// MARK: Method and memory

extension OptionCondition {
  static let always: OptionCondition = {
    var condition = OptionCondition { _ in nil }
    condition.isAlwaysMet = true
    return condition
  }()

  static let multiEpoch = OptionCondition {
    $0.method == .multiEpoch ? nil : .init($0.methodWords, "pass --method multi-epoch")
  }
  /// Examples that keep their order of arrival.
  static let arrivalOrder = OptionCondition {
    $0.method != .multiEpoch
      ? nil : .init("with --method multi-epoch, which shuffles each pass", "use another method")
  }
  /// A shape of the stream that the method can see.
  static let shape = OptionCondition { run in
    guard run.method == .multiEpoch, run.data.shape?.isOnlyAnOrder ?? true else { return nil }
    return .init("with --method multi-epoch, which shuffles each pass", "use another method")
  }
  /// A ledger of the examples, which only one pass over a stream has.
  static let ledger = OptionCondition {
    $0.method != .multiEpoch
      ? nil : .init("with --method multi-epoch, which has no ledger", "use another method")
  }
  static let replay = OptionCondition {
    $0.method == .replay ? nil : .init($0.methodWords, "pass --method replay")
  }
  /// A replay memory from which items are drawn.
  static let draws = OptionCondition {
    if let obstacle = replay.obstacle($0) { return obstacle }
    return $0.replay.steps > 0 ? nil : .init("with --replay-steps 0", "pass --replay-steps 1 or more")
  }
  /// Images that are trained more than once.
  static let repeats = OptionCondition {
    switch $0.method {
    case .multiEpoch: nil
    case .replay: draws.obstacle($0)
    case .naive: .init("with --method naive, which trains each image once", "use another method")
    }
  }
  /// Random crops; the naive method takes centre crops.
  static let randomCrops = OptionCondition {
    $0.method != .naive
      ? nil : .init("with --method naive, which takes centre crops", "use another method")
  }
  /// Insertions that the recency bias decides.
  static let reservoir = OptionCondition {
    $0.memory.evicting != .cbrs
      ? nil : .init("with --evicting cbrs, which decides on insertions", "pass another --evicting")
  }
  static let unequalPriorities = OptionCondition {
    $0.replay.priority != .uniform
      ? nil : .init("with --priority uniform", "pass another --priority")
  }
  static let smoothedPriorities = OptionCondition {
    switch $0.replay.priority {
    case .loss, .learnability: nil
    case let other: .init("with --priority \(other.rawValue)", "pass --priority loss or learnability")
    }
  }
  static let resizedImages = OptionCondition {
    $0.memory.encoding == .resized
      ? nil : .init("with --memory-encoding \($0.memory.encoding.rawValue)", "pass --memory-encoding resized")
  }
  /// Images of the memory that the run may keep after its end, and does not keep already.
  static let copiesOfImages = OptionCondition { run in
    guard run.memory.keepPictures != 0 else { return nil }
    if run.memory.timeToLive != nil {
      return .init("with --time-to-live, which the copies would outlive", "omit --time-to-live")
    }
    return run.memory.directory == nil
      ? nil : .init("with --memory-directory, which keeps all images", "omit --memory-directory")
  }
}

// MARK: Data and model

extension OptionCondition {
  static let live = OptionCondition {
    $0.isLive
      ? nil : .init("without a broker's stream", "pass --data kafka://…, redis://…, nats://… or amqp://…")
  }
  static let evaluation = OptionCondition {
    $0.data.evaluationSource != nil ? nil : .init("without --eval-data", "pass --eval-data")
  }
  /// A stream that is shuffled, as a whole, in a buffer or in each pass.
  static let seededOrder = OptionCondition { run in
    guard run.method != .multiEpoch, run.data.shuffleBuffer == nil,
      SourceRegistry.orderDependsOnSeed(run.data.source) == false
    else { return nil }
    let kind = run.data.source.prefix { $0 != ":" }
    return .init(
      "with --data \(kind):, which keeps the order of its files", "pass --shuffle-buffer N")
  }
  /// A model whose first layers can be chosen. The small ones are those of every other model.
  static let stem = OptionCondition {
    ModelRegistry.hasStem($0.model.name) || $0.model.stem != .imageNet
      ? nil : .init("with --model \($0.model.name), which has only the small one", "pass another --model")
  }
}

// MARK: Recipe and augmentation

extension OptionCondition {
  static let augmentation = OptionCondition {
    !$0.augmentation.choice.isStandard
      ? nil : .init("with --augmentation standard", "pass another --augmentation")
  }
  static let augmentationPolicy = OptionCondition {
    $0.augmentation.choice.policy != nil
      ? nil
      : .init("with --augmentation \($0.augmentation.choice.rawValue)", "pass --augmentation rand or trivial")
  }
  static let weightDecay = OptionCondition {
    $0.recipe.weightDecay != 0 ? nil : .init("with --weight-decay 0", "pass --weight-decay above 0")
  }
  static let muon = OptionCondition {
    $0.recipe.optimiser == .muon
      ? nil : .init("with --optimiser \($0.recipe.optimiser.rawValue)", "pass --optimiser muon")
  }
  static let coolDown = OptionCondition {
    $0.recipe.schedule.coolsDown
      ? nil
      : .init("with --schedule \($0.recipe.schedule.rawValue)", "pass --schedule trapezoid or on-demand")
  }
  static let mixing = OptionCondition {
    $0.recipe.mixing != .none ? nil : .init("with --mixing none", "pass --mixing mixup or cutmix")
  }
}

extension RunConfiguration {
  fileprivate var methodWords: String { "with --method \(method.rawValue)" }
}
