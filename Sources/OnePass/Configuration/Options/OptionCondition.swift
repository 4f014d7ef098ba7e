import OnePassCore

/// The condition under which an option has an effect.
struct OptionCondition: Sendable {
  /// The options that meet it, as `--method replay`.
  let words: String
  let holds: @Sendable (RunConfiguration) -> Bool

  init(_ words: String, _ holds: @escaping @Sendable (RunConfiguration) -> Bool) {
    (self.words, self.holds) = (words, holds)
  }
}

extension OptionCondition {
  static let always: OptionCondition = .init("") { _ in true }
  static let multiEpoch: OptionCondition = .init("--method multi-epoch") { $0.method == .multiEpoch }
  static let replay: OptionCondition = .init("--method replay") { $0.method == .replay }
  static let reservoir: OptionCondition = .init("--evicting other than cbrs") { $0.memory.evicting != .cbrs }
  static let unequalPriorities: OptionCondition = .init("--priority other than uniform") {
    $0.replay.priority != .uniform
  }
  static let smoothedPriorities: OptionCondition = .init("--priority loss or learnability") {
    $0.replay.priority == .loss || $0.replay.priority == .learnability
  }
  static let resizedImages: OptionCondition = .init("--memory-encoding resized") {
    $0.memory.encoding == .resized
  }
  static let augmentation: OptionCondition = .init("--augmentation other than standard") {
    !$0.augmentation.choice.isStandard
  }
  static let augmentationPolicy: OptionCondition = .init("--augmentation rand or trivial") {
    $0.augmentation.choice.policy != nil
  }
  static let weightDecay: OptionCondition = .init("--weight-decay above 0") { $0.recipe.weightDecay != 0 }
  static let muon: OptionCondition = .init("--optimiser muon") { $0.recipe.optimiser == .muon }
  static let coolDown: OptionCondition = .init("--schedule trapezoid or on-demand") {
    $0.recipe.schedule.coolsDown
  }
  static let mixing: OptionCondition = .init("--mixing mixup or cutmix") { $0.recipe.mixing != .none }
}
