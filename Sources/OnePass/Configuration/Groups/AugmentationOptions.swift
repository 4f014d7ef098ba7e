import OnePassCore
import OnePassData

extension RunConfiguration {
  /// What the decode threads do to training images beyond crop and flip. Centre crops get nothing.
  public struct AugmentationOptions: RunOptionGroup {
    /// The augmentations.
    @RunOption(
      "augmentation",
      "What training images get beyond crop and flip: standard (nothing), rand (RandAugment) or trivial (TrivialAugment), "
        + "cut-out, or two of them, as in rand,cut-out.",
      value: "NAME[,NAME]", before: .standard, deviationOfRun: \.augmentationWords)
    public var choice: AugmentationChoice = .standard

    /// The share (0 … 1) of the largest magnitude that the operations of RandAugment and TrivialAugment have; the usual one
    /// of each if `nil`.
    @RunOption(
      "augmentation-magnitude",
      "The share of the largest magnitude that operations have (default: 0.3 with rand, 1 with trivial, where each is drawn up to it).",
      value: "0...1", in: .share, applies: .augmentationPolicy)
    public var magnitude: Double? = nil

    /// The visits of an image until its augmentation has the full strength; with 0 arriving images are augmented too.
    @RunOption(
      "augmentation-growth",
      "The visits of an image until its augmentation has the full strength; 0 augments arriving images too.",
      value: "V", in: .notNegative, before: 1, applies: .augmentation)
    public var growth: Double = 1.0
  }
}

extension RunConfiguration {
  /// What the decode threads do to training images beyond crop and flip.
  var imageAugmentation: Augmentation {
    Augmentation(augmentation.choice, magnitude: augmentation.magnitude, growth: augmentation.growth)
  }

  /// `rand 0.3 and cut-out over 4 visits`.
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
