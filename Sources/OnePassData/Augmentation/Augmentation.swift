/// The augmentation of training images beyond crop and flip, and how its strength grows with the visits of an image.
///
/// An image's visit is 0 when it arrives and 1, 2, … in its replays; in multi-epoch training it is the epoch. With the
/// default growth of 1, an arriving image is not augmented and each replay has full strength. Replayed images are the
/// ones that a network sees repeatedly and can memorise.
///
/// ```swift
/// let augmentation = Augmentation(try AugmentationChoice("rand,cut-out"), growth: 4)
/// augmentation.strength(visit: 2)  // 0.5
/// let pool = DecodePool(pipeline: pipeline, threads: 2, augmentation: augmentation)
/// ```
public struct Augmentation: Hashable, Sendable {
  /// The augmentations.
  public let choice: AugmentationChoice
  /// The magnitude of each operation at full strength, as a share 0 … 1 of its maximum.
  public let magnitude: Double
  /// The number of visits until full strength, 0 or more; 0 augments arriving images too.
  public let growth: Double

  /// Creates an augmentation.
  /// - Parameters:
  ///   - choice: The augmentations.
  ///   - magnitude: The magnitude at full strength, 0 … 1; by default the policy's usual one.
  ///   - growth: The number of visits until full strength, 0 or more.
  /// - Precondition: `magnitude` and `growth` are within their ranges.
  public init(_ choice: AugmentationChoice, magnitude: Double? = nil, growth: Double = 1) {
    let magnitude = magnitude ?? choice.policy?.usualMagnitude ?? 1
    precondition((0...1).contains(magnitude), "The magnitude must be from 0 to 1.")
    precondition(growth >= 0 && growth.isFinite, "The growth must be a finite number of visits, 0 or more.")
    (self.choice, self.magnitude, self.growth) = (choice, magnitude, growth)
  }

  /// Only crop and flip.
  public static let standard = Augmentation(.standard)

  /// The strength of the augmentation at a visit, 0 … 1: min(1, visit / growth).
  /// - Parameter visit: The number of earlier visits of the image, 0 or more.
  public func strength(visit: Int) -> Double {
    if choice.isStandard { return 0 }
    return growth == 0 ? 1 : min(1, Double(visit) / growth)
  }
}
