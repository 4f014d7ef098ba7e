import OnePassCore
import OnePassData

extension RunConfiguration {
  /// What the decode threads do to training images beyond crop and flip.
  var imageAugmentation: Augmentation {
    Augmentation(augmentation, magnitude: augmentationMagnitude, growth: augmentationGrowth)
  }

  /// This run with fixed values for the options that its augmentation does not use.
  var withEssentialAugmentation: RunConfiguration {
    var essence = self
    essence.augmentationMagnitude = augmentation.policy == nil ? nil : imageAugmentation.magnitude
    if augmentation.isStandard { essence.augmentationGrowth = 1 }
    return essence
  }

  /// This run with the other's augmentation.
  package func withAugmentation(of other: RunConfiguration) -> RunConfiguration {
    var changed = self
    (changed.augmentation, changed.augmentationMagnitude) = (other.augmentation, other.augmentationMagnitude)
    changed.augmentationGrowth = other.augmentationGrowth
    return changed
  }

  /// The augmentation in words, where there is any: `rand 0.3 and cut-out over 4 visits`.
  var augmentationTitle: String? {
    guard !augmentation.isStandard else { return nil }
    let policy = augmentation.policy.map { "\($0.rawValue) \(Figures.short(imageAugmentation.magnitude))" }
    let parts = [policy, augmentation.cutsOut ? "cut-out" : nil].compactMap(\.self).joined(separator: " and ")
    switch augmentationGrowth {
    case 0: return "\(parts) from arrival"
    case 1: return parts
    default: return "\(parts) over \(Figures.short(augmentationGrowth)) visits"
    }
  }

  /// - Throws: `OnePassError` (`usage`) if the options of augmentation mean nothing together.
  func validateAugmentation() throws {
    func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
      if !condition { throw OnePassError(.usage, sentence()) }
    }
    try require(
      augmentation.isStandard || method != .naive,
      "--augmentation is for images that are cropped at random, and --method naive takes the centre: leave it out."
    )
    try require(
      augmentationMagnitude == nil || augmentation.policy != nil,
      "--augmentation-magnitude is for rand and trivial: say --augmentation rand, or leave it out.")
    try require(
      augmentationGrowth == 1 || !augmentation.isStandard,
      "--augmentation-growth is for an augmentation: say --augmentation rand, or leave it out.")
  }
}
