/// What training images get beyond crop and flip, and how it grows with the visits of an image.
///
/// An image's visit is 0 when it arrives and 1, 2, … in its replays (in multi-epoch training its pass). With the usual
/// growth of 1 an arriving image is left as it is, and each replay has the full strength: the memory's images are seen
/// again and again, and it is them that a network learns by heart.
///
/// ```swift
/// let augmentation = Augmentation(try AugmentationChoice("rand,cut-out"), growth: 4)
/// augmentation.strength(visit: 2)  // 0.5
/// let pool = DecodePool(pipeline: pipeline, threads: 2, augmentation: augmentation)
/// ```
public struct Augmentation: Hashable, Sendable {
  public let choice: AugmentationChoice
  /// The share, 0 … 1, of the largest magnitude of each operation that is reached at full strength.
  public let magnitude: Double
  /// The visits of an image until the strength is full, 0 or more; 0 augments arriving images too.
  public let growth: Double

  /// - Parameters:
  ///   - choice: What is done to an image.
  ///   - magnitude: The share, 0 … 1, of the largest magnitude; the policy's usual one if `nil`.
  ///   - growth: The visits of an image until the strength is full, 0 or more.
  /// - Precondition: `magnitude` and `growth` are within their ranges.
  public init(_ choice: AugmentationChoice, magnitude: Double? = nil, growth: Double = 1) {
    let magnitude = magnitude ?? choice.policy?.usualMagnitude ?? 1
    precondition((0...1).contains(magnitude), "A magnitude is a share from 0 to 1.")
    precondition(growth >= 0 && growth.isFinite, "A growth is a number of visits.")
    (self.choice, self.magnitude, self.growth) = (choice, magnitude, growth)
  }

  /// Crop and flip alone.
  public static let standard = Augmentation(.standard)

  /// How much of the augmentation an image gets, 0 … 1: min(1, visit / growth).
  /// - Parameter visit: How often the image was seen before, 0 or more.
  public func strength(visit: Int) -> Double {
    if choice.isStandard { return 0 }
    return growth == 0 ? 1 : min(1, Double(visit) / growth)
  }
}
