import OnePassCore

/// The selectors by their names on the command line.
public indirect enum SelectorKind: Hashable, CaseIterable, Sendable, Codable {
  /// Every item with the same probability.
  case uniform
  /// An item with probability P/ΣP.
  case prioritised
  /// The item that has been in the stream the longest ago.
  case oldest
  /// The item that was drawn least often; among equals the oldest.
  case fewestReplays
  /// The item that was drawn most often; among equals the oldest.
  case mostReplays
  /// The item of the lowest priority; among equals the oldest.
  case lowestPriority
  /// Every class with the same probability, and within it every item.
  case classBalanced
  /// An item of the class that has the most.
  case largestClass
  /// One of two by chance, the second with the probability `share`.
  case mixture(SelectorKind, SelectorKind, share: Double)
  /// A selector that a program brought itself, by its ``ItemSelector/name``.
  case own(String)

  /// Those of OnePass, without the mixtures of them.
  public static let allCases: [SelectorKind] = [
    .uniform, .prioritised, .oldest, .fewestReplays, .mostReplays, .lowestPriority, .classBalanced,
    .largestClass,
  ]

  /// This kind, or uniform for a program's own, which is not at hand: enough to take items out of a memory that is not used.
  package var orUniform: SelectorKind { isOwn ? .uniform : self }

  /// Whether only its program has it.
  package var isOwn: Bool { if case .own = self { true } else { false } }

  /// Whether it may choose by an order, without chance: such a choice has no probability to weight by.
  package var isOrdered: Bool {
    switch self {
    case .oldest, .fewestReplays, .mostReplays, .lowestPriority: true
    case .mixture(let first, let second, _): first.isOrdered || second.isOrdered
    case .uniform, .prioritised, .classBalanced, .largestClass, .own: false
    }
  }

  /// Whether it is a mixture with a selector that chooses by an order.
  package var mixesOrderWithChance: Bool { if case .mixture = self { isOrdered } else { false } }

  /// An empty selector of this name.
  /// - Precondition: it is one of ``allCases`` or a mixture of them. A program's own selector is nowhere but in the program.
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
    case .mixture(let first, let second, let share):
      Self.mixture(first.makeSelector(), second.makeSelector(), share)
    case .own(let name):
      preconditionFailure("The selector \(name) is a program's own and has to be given itself.")
    }
  }

  private static func mixture(
    _ first: some ItemSelector, _ second: some ItemSelector, _ share: Double
  ) -> any ItemSelector { MixtureSelector(first, second, share: share) }
}

extension SelectorKind: RawRepresentable {
  /// The name on the command line: a word, `uniform+oldest:0.3` for a mixture with its second selector's share, or `own:` and
  /// a name.
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
    case .mixture(let first, let second, let share): "\(first.rawValue)+\(second.rawValue):\(share)"
    case .own(let name): OwnPart.record(of: name)
    }
  }

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

  private static func mixture(_ text: String) -> SelectorKind? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let share = Double(parts[1]), (0...1).contains(share) else { return nil }
    let kinds = parts[0].split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    guard kinds.count == 2,
      let first = allCases.first(where: { $0.rawValue == kinds[0] }),
      let second = allCases.first(where: { $0.rawValue == kinds[1] })
    else { return nil }
    return .mixture(first, second, share: share)
  }
}
