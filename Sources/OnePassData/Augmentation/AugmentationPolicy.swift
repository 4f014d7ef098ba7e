import OnePassCore

/// A random choice of operations on a whole image and of their magnitudes.
///
/// The operations, their ranges and their black borders are torchvision's (`v2.RandAugment`, `v2.TrivialAugmentWide`, with
/// nearest-neighbour interpolation). An operation without a magnitude (equalise, autocontrast) is applied with a
/// probability equal to the strength.
///
/// ```swift
/// let choice = AugmentationChoice(policy: .rand, cutsOut: true)
/// ```
public enum AugmentationPolicy: String, CaseIterable, Sendable {
  /// RandAugment: two operations of one magnitude (Cubuk et al. 2020).
  case rand
  /// TrivialAugmentWide: one operation of any magnitude, in wide ranges (Müller and Hutter 2021).
  case trivial

  /// Torchvision's operations, in its order.
  enum Kind: CaseIterable {
    case identity, shearX, shearY, translateX, translateY, rotate, brightness, colour, contrast, sharpness
    case posterise, solarise, autoContrast, equalise
  }

  /// The number of operations applied to an image.
  var count: Int {
    switch self {
    case .rand: 2
    case .trivial: 1
    }
  }

  /// The default magnitude as a share of the maximum: 0.3 for `rand` (torchvision's 9 of 30), 1 for `trivial`.
  public var usualMagnitude: Double {
    switch self {
    case .rand: 0.3
    case .trivial: 1
    }
  }

  /// Draws the next operation.
  /// - Parameters:
  ///   - side: The side of the image in pixels.
  ///   - magnitude: The magnitude at full strength, as a share 0 … 1 of the maximum.
  ///   - strength: The factor of the magnitude, 0 … 1.
  ///   - generator: The source of randomness.
  /// - Returns: `nil` for the identity.
  func operation(
    side: Int, magnitude: Double, strength: Double, using generator: inout SeededGenerator
  ) -> ImageOperation? {
    let kind = Kind.allCases[generator.next(below: Kind.allCases.count)]
    let level: Double =
      switch self {
      case .rand: 1
      case .trivial: Double(generator.next(below: Self.levels)) / Double(Self.levels - 1)
      }
    let sign = generator.nextBool() ? 1.0 : -1
    let isApplied = generator.nextUnit() < strength
    return operation(
      kind, side: side, magnitude: level * magnitude * strength, sign: sign, isApplied: isApplied)
  }

  /// Torchvision's `num_magnitude_bins`.
  private static let levels = 31

  /// - Parameters:
  ///   - sign: 1 or -1, for operations with two directions.
  ///   - isApplied: Whether to apply an operation without a magnitude.
  func operation(
    _ kind: Kind, side: Int, magnitude: Double, sign: Double, isApplied: Bool
  ) -> ImageOperation? {
    let isWide = self == .trivial
    let shear = sign * magnitude * (isWide ? 0.99 : 0.3)
    let shift = Int(sign * magnitude * (isWide ? 32 : 150 / 331 * Double(side)))
    let factor = 1 + sign * magnitude * (isWide ? 0.99 : 0.9)
    return switch kind {
    case .identity: nil
    case .shearX: .shearX(shear)
    case .shearY: .shearY(shear)
    case .translateX: .translateX(shift)
    case .translateY: .translateY(shift)
    case .rotate: .rotate(degrees: sign * magnitude * (isWide ? 135 : 30))
    case .brightness: .brightness(factor)
    case .colour: .colour(factor)
    case .contrast: .contrast(factor)
    case .sharpness: .sharpness(factor)
    case .posterise: .posterise(bits: 8 - Int((magnitude * (isWide ? 6 : 4)).rounded(.toNearestOrEven)))
    case .solarise: .solarise(threshold: 255 * (1 - magnitude))
    case .autoContrast: isApplied ? .autoContrast : nil
    case .equalise: isApplied ? .equalise : nil
    }
  }
}
