import OnePassCore

/// The augmentations beyond crop and flip: `standard`, `rand`, `trivial`, `cut-out`, `rand,cut-out` or `trivial,cut-out`.
///
/// ```swift
/// let choice = try AugmentationChoice("cut-out,rand")
/// choice.rawValue  // "rand,cut-out"
/// ```
public struct AugmentationChoice: RawRepresentable, Codable, Hashable, Sendable {
  /// The policy for operations on the whole image; `nil` for none.
  public let policy: AugmentationPolicy?
  /// Whether a square of half the image's side becomes the mean colour, as the last step (DeVries and Taylor 2017).
  public let cutsOut: Bool

  private static let standardName = "standard"
  private static let cutOutName = "cut-out"

  /// Creates a choice.
  /// - Parameters:
  ///   - policy: The policy for operations on the whole image; `nil` for none.
  ///   - cutsOut: Whether to apply Cutout (DeVries and Taylor 2017) with a square of half the side.
  public init(policy: AugmentationPolicy? = nil, cutsOut: Bool = false) {
    (self.policy, self.cutsOut) = (policy, cutsOut)
  }

  /// Only crop and flip.
  public static let standard = AugmentationChoice()

  /// Whether there is only crop and flip. Faster than `==`, which compares raw values.
  public var isStandard: Bool { policy == nil && !cutsOut }

  /// The names in a fixed order, separated by commas.
  public var rawValue: String {
    let names = (policy.map { [$0.rawValue] } ?? []) + (cutsOut ? [Self.cutOutName] : [])
    return names.isEmpty ? Self.standardName : names.joined(separator: ",")
  }

  /// Parses names as ``init(_:)`` does; `nil` if that throws.
  public init?(rawValue: String) {
    guard let choice = try? AugmentationChoice(rawValue) else { return nil }
    self = choice
  }

  /// Parses names.
  /// - Parameter text: The names in any order, separated by commas.
  /// - Throws: `OnePassError` (`usage`) if a name is unknown or repeated, or names exclude each other.
  public init(_ text: String) throws {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let policies = names.compactMap(AugmentationPolicy.init(rawValue:))
    let known = AugmentationPolicy.allCases.map(\.rawValue) + [Self.cutOutName]
    if names == [Self.standardName] {
      self = .standard
      return
    }
    if let other = names.first(where: { !known.contains($0) }) {
      throw other == Self.standardName
        ? OnePassError.standardAmongAugmentations(text, standard: Self.standardName)
        : OnePassError.unknownAugmentation(text, standard: Self.standardName, known: known)
    }
    guard Set(names).count == names.count else {
      throw OnePassError.repeatedAugmentation(text)
    }
    guard policies.count <= 1 else {
      throw OnePassError.exclusiveAugmentations(text, policies)
    }
    self.init(policy: policies.first, cutsOut: names.contains(Self.cutOutName))
  }
}
