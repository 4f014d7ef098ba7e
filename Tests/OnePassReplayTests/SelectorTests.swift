import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@Suite("Selectors") struct SelectorTests {
  /// The kinds that can draw. CBRS only evicts.
  static let drawingKinds = SelectorKind.allCases.filter { $0 != .cbrs }

  /// All kinds, and some mixtures.
  static let kinds =
    SelectorKind.allCases + [
      .mixture(.uniform, .oldest, share: 0.3), .mixture(.fewestReplays, .prioritised, share: 0.5),
      .mixture(.prioritised, .classBalanced, share: 0.8), .mixture(.largestClass, .mostReplays, share: 1),
    ]

  /// A selector and a plain list of items go through the same random changes.
  @Test("Every selector agrees with a plain list of the same items", arguments: kinds)
  func everySelectorFollowsItsItems(kind: SelectorKind) {
    for seed in 0..<20 as Range<UInt64> {
      var chance = SeededGenerator(seed: seed, .test)
      var selector = kind.makeSelector()
      var items: [ItemFacts] = []
      for arrival in 0..<200 {
        let facts = ItemFacts(
          priority: Self.somePriority(&chance), label: chance.next(below: 7), arrival: arrival,
          draws: chance.next(below: 5))
        switch chance.next(below: 4) {
        case 0 where !items.isEmpty:
          let slot = chance.next(below: items.count)
          items[slot] = facts
          selector.update(slot, to: facts)
        case 1 where !items.isEmpty:
          let slot = chance.next(below: items.count)
          items.swapAt(slot, items.count - 1)
          items.removeLast()
          selector.remove(slot)
        default:
          items.append(facts)
          selector.append(facts)
        }
        selector.checkInvariants()
        #expect(selector.count == items.count, "seed \(seed)")
        if type(of: selector).keepsPriorities {
          #expect(
            items.indices.allSatisfy { selector.priority(of: $0) == items[$0].priority }, "seed \(seed)")
        }
        guard !items.isEmpty else { continue }
        let selection = selector.select(using: &chance)
        let possible = Self.charges(kind).map { Self.probability(of: selection.slot, in: items, $0) }
        #expect(
          possible.contains { $0 > 0 && abs(selection.probability - $0) <= 1e-9 * $0 },
          "\(kind), seed \(seed): probability \(selection.probability), exactly \(possible)")
      }
    }
  }

  /// Returns priorities over 40 binary orders of magnitude, and zeros.
  static func somePriority(_ chance: inout SeededGenerator) -> Float {
    chance.next(below: 10) == 0
      ? 0
      : Float(
        sign: .plus, exponent: 3 - chance.next(below: 40), significand: Float(1 + chance.nextUnit() / 2))
  }

  /// The selectors of a mixture, or the selector itself.
  static func charges(_ kind: SelectorKind) -> [SelectorKind] {
    guard case .mixture(let first, let second, let share) = kind else { return [kind] }
    return (share < 1 ? [first] : []) + (share > 0 ? [second] : [])
  }

  /// The probability of a selection by definition; 0 for impossible selections.
  static func probability(of slot: Int, in items: [ItemFacts], _ kind: SelectorKind) -> Double {
    let item = items[slot]
    switch kind {
    case .uniform: return 1 / Double(items.count)
    case .prioritised:
      let total = items.reduce(0) { $0 + Double($1.priority) }
      return total == 0 ? 1 / Double(items.count) : Double(item.priority) / total
    case .oldest: return items.allSatisfy { $0.arrival >= item.arrival } ? 1 : 0
    case .fewestReplays: return items.allSatisfy { $0.draws >= item.draws } ? 1 : 0
    case .lowestPriority: return items.allSatisfy { $0.priority >= item.priority } ? 1 : 0
    case .mostReplays: return items.allSatisfy { $0.draws <= item.draws } ? 1 : 0
    case .classBalanced:
      return 1 / Double(Set(items.map(\.label)).count * items.count { $0.label == item.label })
    // Without an admitted example, CBRS selects from a largest class.
    case .largestClass, .cbrs:
      let sizes = Dictionary(grouping: items, by: \.label).mapValues(\.count)
      let largest = sizes.values.max() ?? 0
      guard sizes[item.label] == largest else { return 0 }
      return 1 / Double(largest * sizes.values.count { $0 == largest })
    case .mixture, .own: preconditionFailure("\(kind) has no definition of its own.")
    }
  }

  @Test("Draw frequencies follow the priorities")
  func drawFrequenciesFollowThePriorities() {
    // Equal, very unequal, with zeros, and the paper's shape near the end of a run (most near 0).
    let cases: [[Float]] = [
      Array(repeating: 0.5, count: 20),
      (0..<20).map { Float(sign: .plus, exponent: -$0, significand: 1.3) },
      (0..<20).map { $0 % 2 == 0 ? 0 : Float($0) },
      (0..<20).map { 1 - 0.999 * Float(1 - 0.9 * Double($0) / 20) },
    ]
    let draws = 200_000
    for (number, priorities) in cases.enumerated() {
      var selector = PrioritisedSelector()
      for (arrival, priority) in priorities.enumerated() {
        selector.append(ItemFacts(priority: priority, label: 0, arrival: arrival, draws: 0))
      }
      var generator = SeededGenerator(seed: 11, .test, number)
      var counts = [Int](repeating: 0, count: priorities.count)
      for _ in 0..<draws { counts[selector.select(using: &generator).slot] += 1 }

      let total = priorities.reduce(0) { $0 + Double($1) }
      let probabilities = priorities.map { Double($0) / total }
      for (count, probability) in zip(counts, probabilities) where probability == 0 { #expect(count == 0) }
      // Cells that expect fewer than 5 draws are joined to the next, as Pearson's test requires.
      let (observed, expected) = Self.joinSmallCells(counts, probabilities, draws: draws)
      let statistic = Statistics.chiSquared(observed: observed, probabilities: expected)
      let bound = Statistics.chiSquaredBound(degreesOfFreedom: observed.count - 1, sigmas: 4)
      #expect(statistic < bound, "case \(number): χ² = \(statistic), bound \(bound)")
    }
  }

  static func joinSmallCells(_ counts: [Int], _ probabilities: [Double], draws: Int) -> ([Int], [Double]) {
    var joined: (counts: [Int], probabilities: [Double]) = ([], [])
    var (count, probability) = (0, 0.0)
    for (c, p) in zip(counts, probabilities).sorted(by: { $0.1 > $1.1 }) where p > 0 {
      count += c
      probability += p
      if probability * Double(draws) >= 5 {
        joined.counts.append(count)
        joined.probabilities.append(probability)
        (count, probability) = (0, 0)
      }
    }
    if probability > 0, !joined.counts.isEmpty {
      joined.counts[joined.counts.count - 1] += count
      joined.probabilities[joined.probabilities.count - 1] += probability
    }
    return joined
  }

  @Test("Several selections at once equal single selections", arguments: kinds)
  func manyChoicesAreAsOneAfterTheOther(kind: SelectorKind) {
    for seed in 0..<10 as Range<UInt64> {
      var chance = SeededGenerator(seed: seed, .test)
      var selector = kind.makeSelector()
      for arrival in 0..<100 {
        selector.append(
          ItemFacts(
            priority: Self.somePriority(&chance), label: chance.next(below: 7), arrival: arrival, draws: 0))
      }
      var again = chance
      let many = selector.select(200, using: &chance)
      #expect(many == (0..<200).map { _ in selector.select(using: &again) }, "seed \(seed)")
      #expect(chance.next() == again.next(), "seed \(seed)")
    }
  }

  /// Selections by class after many changes within a class, with two equally large classes.
  @Test(
    "Choices by class have their stated probability",
    arguments: [
      SelectorKind.classBalanced, .largestClass, .mixture(.classBalanced, .largestClass, share: 0.25),
    ])
  func choicesByClassAreAsLikelyAsTheySay(kind: SelectorKind) {
    var selector = kind.makeSelector()
    // Classes of 1, 3, 6 and 6 items; class 1 is empty.
    let labels = [0, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4]
    var items: [ItemFacts] = []
    for (arrival, label) in (labels + labels).enumerated() {
      items.append(ItemFacts(priority: 1, label: label, arrival: arrival, draws: 0))
      selector.append(items[arrival])
    }
    for slot in [3, 0, 20, 7, 7, 11, 1, 2, 5, 4, 9, 13, 6, 16, 10, 8] where items.count > labels.count {
      items.swapAt(slot, items.count - 1)
      items.removeLast()
      selector.remove(slot)
    }
    let probabilities = items.indices.map { slot in
      if case .mixture(let first, let second, let share) = kind {
        (1 - share) * Self.probability(of: slot, in: items, first)
          + share * Self.probability(of: slot, in: items, second)
      } else {
        Self.probability(of: slot, in: items, kind)
      }
    }
    var generator = SeededGenerator(seed: 3, .test)
    var counts = [Int](repeating: 0, count: items.count)
    for _ in 0..<100_000 { counts[selector.select(using: &generator).slot] += 1 }
    for (count, probability) in zip(counts, probabilities) where probability == 0 { #expect(count == 0) }
    let (observed, expected) = Self.joinSmallCells(counts, probabilities, draws: 100_000)
    let statistic = Statistics.chiSquared(observed: observed, probabilities: expected)
    let bound = Statistics.chiSquaredBound(degreesOfFreedom: observed.count - 1, sigmas: 4)
    #expect(statistic < bound, "χ² = \(statistic), bound \(bound)")
  }

  /// In a stream with a class of one per cent, the memory becomes as balanced as the stream allows.
  @Test("Evicting from the largest class balances the memory")
  func evictingFromTheLargestClassBalances() throws {
    var memory = ReplayMemory(
      capacity: .examples(60), inclusion: InclusionProbability(recencyBias: 1), drawing: .uniform,
      evicting: .largestClass, seed: 1)
    var inserted = [0, 0, 0]
    for id in 0..<6_000 {
      let label = id % 100 == 0 ? 2 : id % 2
      let offer = try memory.offer(.synthetic(id, label: label, bytes: 8), loss: 1, priority: 1)
      if case .inserted = offer { inserted[label] += 1 }
    }
    let held = memory.items.reduce(into: [0, 0, 0]) { $0[$1.label] += 1 }
    // Items of the rare class stay while other classes have more. A reservoir would evict nearly all of them.
    #expect(held[2] == inserted[2] && (1..<20).contains(held[2]), "\(held), \(inserted) came in")
    // Of two equally large classes either is evicted from, including one without new examples.
    #expect(abs(held[0] - held[1]) <= 2, "\(held)")
  }

  @Test("A mixture of selectors is the same after parsing and printing")
  func aMixtureIsReadAndWritten() {
    let mixture = SelectorKind.mixture(.uniform, .oldest, share: 0.25)
    #expect(SelectorKind(rawValue: "uniform+oldest:0.25") == mixture)
    for kind in Self.kinds { #expect(SelectorKind(rawValue: kind.rawValue) == kind) }
    for text in [
      "uniform+oldest", "uniform+oldest:1.5", "uniform+oldest:", "uniform:0.5", "uniform+:0.5", "+oldest:0.5",
      "uniform+oldest+uniform:0.5", "uniform+oldest:0.5:0.5", "uniform+old:0.5", "",
    ] { #expect(SelectorKind(rawValue: text) == nil, "\(text)") }
  }

  @Test("A total priority of zero falls back to uniform draws")
  func zeroTotalPriorityFallsBackToUniform() {
    var selector = PrioritisedSelector()
    for arrival in 0..<8 { selector.append(ItemFacts(priority: 0, label: 0, arrival: arrival, draws: 0)) }
    var generator = SeededGenerator(seed: 5, .test)
    var counts = [Int](repeating: 0, count: 8)
    for _ in 0..<8_000 {
      counts[selector.select(using: &generator).slot] += 1
    }
    #expect(selector.select(using: &generator).probability == 1.0 / 8)
    let statistic = Statistics.chiSquared(
      observed: counts, probabilities: Array(repeating: 1.0 / 8, count: 8))
    #expect(statistic < Statistics.chiSquaredBound(degreesOfFreedom: 7, sigmas: 4))
  }

  @Test("Group sums are exact after many changes")
  func groupSumsDoNotDrift() {
    var selector = PrioritisedSelector()
    var chance = SeededGenerator(seed: 9, .test)
    for arrival in 0..<64 { selector.append(ItemFacts(priority: 1, label: 0, arrival: arrival, draws: 0)) }
    for change in 0..<100_000 {
      selector.update(
        chance.next(below: 64),
        to: ItemFacts(priority: Self.somePriority(&chance), label: 0, arrival: change, draws: 0)
      )
    }
    for slot in 0..<64 {
      selector.update(slot, to: ItemFacts(priority: 0.25, label: 0, arrival: slot, draws: 0))
    }
    #expect(selector.totalPriority == 16)
  }
}
