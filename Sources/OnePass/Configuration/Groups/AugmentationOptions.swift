import OnePassCore
import OnePassData

extension RunConfiguration {
  /// Augmentation of training images beyond random crop and flip. Centre crops are not augmented.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "fashion-mnist")
  /// configuration.augmentation.choice = AugmentationChoice(policy: .rand)
  /// configuration.augmentation.magnitude = 0.5
  /// ```
  public struct AugmentationOptions: RunOptionGroup {
    static let applies = OptionCondition.randomCrops

    /// The augmentation policy, and whether images are cut out.
    @RunOption(
      "augmentation",
      "Augmentation beyond crop and flip: standard (none), rand (RandAugment), trivial (TrivialAugment) or cut-out; "
        + "a policy and cut-out can be combined, as rand,cut-out.",
      value: "NAME[,NAME]", before: .standard, deviationOfRun: \.augmentationWords)
    public var choice: AugmentationChoice = .standard

    /// The magnitude of RandAugment and TrivialAugment as a share of the maximum, 0 … 1; the policy's default if `nil`.
    @RunOption(
      "augmentation-magnitude",
      "Augmentation magnitude as a share of the maximum (default: 0.3 for rand; 1 for trivial, an upper bound of random magnitudes).",
      value: "0...1", in: .share, applies: .augmentationPolicy)
    public var magnitude: Double? = nil

    /// The number of replays after which an image is augmented at full strength; 0 also augments incoming images.
    @RunOption(
      "augmentation-growth",
      "Number of replays after which an image is augmented at full strength; 0 also augments incoming images.",
      value: "V", in: .notNegative, before: 1, applies: .augmentation)
    public var growth: Double = 1.0
  }
}

extension RunConfiguration {
  /// The augmentation that the decode threads apply.
  var imageAugmentation: Augmentation {
    Augmentation(augmentation.choice, magnitude: augmentation.magnitude, growth: augmentation.growth)
  }

  /// The augmentation in a title, as `rand 0.3 and cut-out over 4 visits`.
  fileprivate var augmentationWords: String? {
    let choice = augmentation.choice
    let policy = choice.policy.map { "\($0.rawValue) \(Figures.short(imageAugmentation.magnitude))" }
    let parts = [policy, choice.cutsOut ? "cut-out" : nil].compactMap(\.self).joined(separator: " and ")
    switch augmentation.growth {
    case 0: return "\(parts) from arrival"
    case 1: return parts
    default: return "\(parts) over \(Figures.short(augmentation.growth)) visits"
    }
  }
}
