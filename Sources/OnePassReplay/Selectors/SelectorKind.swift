import OnePassCore

/// A selector by its name on the command line.
///
/// ```swift
/// let kind = SelectorKind(rawValue: "uniform+oldest:0.3")
/// print(kind?.makeSelector().name ?? "unknown")
/// ```
public indirect enum SelectorKind: Hashable, CaseIterable, Sendable, Codable {
  /// Every item with the same probability.
  case uniform
  /// An item with probability P/ΣP.
  case prioritised
  /// The oldest item.
  case oldest
  /// The item with the fewest draws; among equals, the oldest.
  case fewestReplays
  /// The item with the most draws; among equals, the oldest.
  case mostReplays
  /// The item with the lowest priority; among equals, the oldest.
  case lowestPriority
  /// Every class with the same probability, and within it every item.
  case classBalanced
  /// An item of the class with the most items.
  case largestClass
  /// Class-balancing reservoir sampling, for evictions only: it also decides which examples are inserted.
  case cbrs
  /// One of two selectors at random, the second with probability `share`.
  case mixture(SelectorKind, SelectorKind, share: Double)
  /// A custom selector, by its ``ItemSelector/name``.
  case own(String)

  /// The built-in selectors, without mixtures.
  public static let allCases: [SelectorKind] = [
    .uniform, .prioritised, .oldest, .fewestReplays, .mostReplays, .lowestPriority, .classBalanced,
    .largestClass, .cbrs,
  ]

  /// This kind, or uniform for a custom selector, which is not available here. Sufficient to remove items from a saved memory.
  package var orUniform: SelectorKind { isOwn ? .uniform : self }

  /// Whether it is a custom selector.
  package var isOwn: Bool { if case .own = self { true } else { false } }

  /// Whether it selects in a fixed order, at least partly. Such selections have no probability to weight by.
  package var isOrdered: Bool {
    switch self {
    case .oldest, .fewestReplays, .mostReplays, .lowestPriority: true
    case .mixture(let first, let second, _): first.isOrdered || second.isOrdered
    case .uniform, .prioritised, .classBalanced, .largestClass, .cbrs, .own: false
    }
  }

  /// Whether it, or a part of it, selects every class with the same probability. Importance weights would undo that.
  package var balancesClasses: Bool {
    if case .mixture(let first, let second, _) = self {
      return first.balancesClasses || second.balancesClasses
    }
    return self == .classBalanced
  }

  /// Whether it is a mixture with a selector of a fixed order.
  package var mixesOrderWithChance: Bool { if case .mixture = self { isOrdered } else { false } }

  /// Creates an empty built-in selector of this name.
  /// - Precondition: The kind is one of ``allCases`` or a mixture of them. Custom selectors exist only in the program that
  ///   defines them.
  public func makeSelector() -> any ItemSelector {
    switch self {
    case .uniform: UniformSelector()
    case .prioritised: PrioritisedSelector()
    case .oldest: OrderedSelector<OldestFirst>()
    case .fewestReplays: OrderedSelector<FewestReplaysFirst>()
    case .mostReplays: OrderedSelector<MostReplaysFirst>()
    case .lowestPriority: OrderedSelector<LowestPriorityFirst>()
    case .classBalanced: ClassSelector<EveryClass>()
    case .largestClass: ClassSelector<LargestClass>()
    case .cbrs: ClassBalancingReservoir()
    case .mixture(let first, let second, let share):
      Self.mixture(first.makeSelector(), second.makeSelector(), share)
    case .own(let name):
      preconditionFailure("A custom selector (\(name)) cannot be created by name.")
    }
  }

  private static func mixture(
    _ first: some ItemSelector, _ second: some ItemSelector, _ share: Double
  ) -> any ItemSelector { MixtureSelector(first, second, share: share) }
}

extension SelectorKind: RawRepresentable {
  /// The name on the command line.
  ///
  /// Mixtures are `uniform+oldest:0.3`, with the probability of the second selector. Custom selectors are `own:` and a name.
  public var rawValue: String {
    switch self {
    case .uniform: "uniform"
    case .prioritised: "prioritised"
    case .oldest: "oldest"
    case .fewestReplays: "fewest-replays"
    case .mostReplays: "most-replays"
    case .lowestPriority: "lowest-priority"
    case .classBalanced: "class-balanced"
    case .largestClass: "largest-class"
    case .cbrs: "cbrs"
    case .mixture(let first, let second, let share): "\(first.rawValue)+\(second.rawValue):\(share)"
    case .own(let name): OwnPart.record(of: name)
    }
  }

  /// Creates a kind from its name; `nil` for an unknown name.
  public init?(rawValue: String) {
    if let known = Self.allCases.first(where: { $0.rawValue == rawValue }) {
      self = known
    } else if let name = OwnPart.name(in: rawValue) {
      self = .own(name)
    } else if let mixture = Self.mixture(rawValue) {
      self = mixture
    } else {
      return nil
    }
  }

  /// The kinds that a mixture can have. One that decides on insertions has no part in it.
  private static let mixable = allCases.filter { $0 != .cbrs }

  private static func mixture(_ text: String) -> SelectorKind? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let share = Double(parts[1]), (0...1).contains(share) else { return nil }
    let kinds = parts[0].split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    guard kinds.count == 2,
      let first = mixable.first(where: { $0.rawValue == kinds[0] }),
      let second = mixable.first(where: { $0.rawValue == kinds[1] })
    else { return nil }
    return .mixture(first, second, share: share)
  }
}
