import OnePassCore

/// Which augmentations training images get beyond crop and flip: `standard`, `rand`, `trivial`, `cut-out`, `rand,cut-out`, …
///
/// ```swift
/// let choice = try AugmentationChoice("cut-out,rand")
/// choice.rawValue  // "rand,cut-out"
/// ```
public struct AugmentationChoice: RawRepresentable, Codable, Hashable, Sendable {
  /// Operations on the whole image; none if `nil`.
  public let policy: AugmentationPolicy?
  /// Whether a square of half the side becomes the mean colour, after everything else (DeVries and Taylor 2017).
  public let cutsOut: Bool

  private static let standardName = "standard"
  private static let cutOutName = "cut-out"

  /// - Parameters:
  ///   - policy: Operations on the whole image; none if `nil`.
  ///   - cutsOut: Whether a square is cut out.
  public init(policy: AugmentationPolicy? = nil, cutsOut: Bool = false) {
    (self.policy, self.cutsOut) = (policy, cutsOut)
  }

  /// Crop and flip alone.
  public static let standard = AugmentationChoice()

  /// Whether there is nothing beyond crop and flip. (To compare with ``standard`` would make two texts.)
  public var isStandard: Bool { policy == nil && !cutsOut }

  public var rawValue: String {
    let names = (policy.map { [$0.rawValue] } ?? []) + (cutsOut ? [Self.cutOutName] : [])
    return names.isEmpty ? Self.standardName : names.joined(separator: ",")
  }

  /// - Parameter rawValue: The names, as ``init(_:)`` takes them; `nil` comes of whatever that refuses.
  public init?(rawValue: String) {
    guard let choice = try? AugmentationChoice(rawValue) else { return nil }
    self = choice
  }

  /// - Parameter text: The names, with commas between them, in any order.
  /// - Throws: `OnePassError` (`usage`) if they are not known or do not go together.
  public init(_ text: String) throws {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let policies = names.compactMap(AugmentationPolicy.init(rawValue:))
    let known = AugmentationPolicy.allCases.map(\.rawValue) + [Self.cutOutName]
    if names == [Self.standardName] {
      self = .standard
      return
    }
    if let stranger = names.first(where: { !known.contains($0) }) {
      throw OnePassError(
        .usage,
        stranger == Self.standardName
          ? "--augmentation \(text) is not possible: standard is for crop and flip alone."
          : "--augmentation \(text) is not possible: give \(Self.standardName), or one or more of "
            + "\(known.joined(separator: ", ")), with commas between them.")
    }
    guard Set(names).count == names.count else {
      throw OnePassError(.usage, "--augmentation \(text) is not possible: give each name once.")
    }
    guard policies.count <= 1 else {
      throw OnePassError(
        .usage,
        "--augmentation \(text) is not possible: \(policies.map(\.rawValue).joined(separator: " and ")) exclude each other."
      )
    }
    self.init(policy: policies.first, cutsOut: names.contains(Self.cutOutName))
  }
}
