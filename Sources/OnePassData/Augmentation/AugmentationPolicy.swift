import OnePassCore

/// How operations on a whole image are chosen by chance: which ones, and how much of each.
///
/// The operations, their ranges and their black borders are torchvision's (`v2.RandAugment`, `v2.TrivialAugmentWide`, with
/// the nearest pixel). An operation that has no magnitude (equalise, autocontrast) is applied with the strength as its
/// probability.
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

  /// Operations applied to an image, one after the other.
  var count: Int {
    switch self {
    case .rand: 2
    case .trivial: 1
    }
  }

  /// The share of the largest magnitude that is taken unless another is given: torchvision's 9 of 30; all of it, since
  /// TrivialAugment has nothing to be chosen.
  public var usualMagnitude: Double {
    switch self {
    case .rand: 0.3
    case .trivial: 1
    }
  }

  /// The next operation.
  /// - Parameters:
  ///   - side: The image's, in pixels.
  ///   - magnitude: The share of the largest magnitude, 0 … 1.
  ///   - strength: By how much the magnitude is weakened, 0 … 1.
  ///   - generator: All chance there is.
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
  ///   - sign: 1 or -1, for operations that have two directions.
  ///   - isApplied: Whether an operation without magnitude is.
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
