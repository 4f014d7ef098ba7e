import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@Suite("Reservoir sampling") struct ReservoirTests {
  /// P(item i is stored after n offers), by recursion over the definition. Item i is inserted with probability p(i), and evicted
  /// at each later offer t with probability p(t)/m.
  static func exactInclusion(item: Int, offers: Int, capacity m: Int, beta: Double) -> Double {
    var probability = item <= m ? 1 : min(1, beta * Double(m) / Double(item))
    for t in stride(from: max(item, m) + 1, through: offers, by: 1) {
      probability *= 1 - min(1, beta * Double(m) / Double(t)) / Double(m)
    }
    return probability
  }

  @Test("The inclusion probability equals the exact recursion", arguments: [1.0, 1.5, 3.0])
  func inclusionMatchesTheExactRecursion(beta: Double) throws {
    let (capacity, offers, seeds) = (10, 60, 4_000)
    var held = [Int](repeating: 0, count: offers)
    for seed in 0..<seeds {
      var memory = ReplayMemory(
        capacity: .examples(capacity), inclusion: InclusionProbability(recencyBias: beta), seed: UInt64(seed))
      for id in 0..<offers { try memory.offer(.synthetic(id), loss: 1, priority: 1) }
      #expect(memory.count == capacity)
      for item in memory.items { held[item.id] += 1 }
    }
    // For 60 items and three biases, 4.5 standard errors mean one false alarm in about 800 runs with new seeds.
    for id in 0..<offers {
      let expected = Self.exactInclusion(item: id + 1, offers: offers, capacity: capacity, beta: beta)
      let frequency = Double(held[id]) / Double(seeds)
      let tolerance = Statistics.binomialTolerance(probability: expected, trials: seeds, sigmas: 4.5)
      #expect(abs(frequency - expected) <= tolerance, "item \(id): \(frequency), exactly \(expected)")
    }
  }

  @Test("An unbiased reservoir holds every item with the same probability")
  func unbiasedReservoirHoldsEveryItemWithTheSameProbability() throws {
    for item in [1, 7, 10, 11, 60] {
      #expect(abs(Self.exactInclusion(item: item, offers: 60, capacity: 10, beta: 1) - 1.0 / 6) < 1e-12)
    }
  }

  @Test("The probability is clamped at the start of the stream")
  func probabilityIsClampedWhileTheStreamIsYoung() throws {
    let inclusion = InclusionProbability(recencyBias: 1.5)
    #expect(inclusion(examplesSeen: 101, capacity: 100) == 1)
    #expect(inclusion(examplesSeen: 150, capacity: 100) == 1)
    #expect(inclusion(examplesSeen: 300, capacity: 100) == 0.5)
  }

  @Test("The memory fills before it replaces")
  func fillsBeforeItReplaces() throws {
    var memory = ReplayMemory(capacity: .examples(5), seed: 3)
    for id in 0..<5 {
      #expect(try memory.offer(.synthetic(id), loss: 0, priority: 1) == .inserted(evicted: 0))
    }
    #expect(memory.items.map(\.id).sorted() == [0, 1, 2, 3, 4])
    // For n = 6 and 7, β·m/n ≥ 1, so that the example is certainly inserted.
    #expect(try memory.offer(.synthetic(5), loss: 0, priority: 1) == .inserted(evicted: 1))
    #expect(try memory.offer(.synthetic(6), loss: 0, priority: 1) == .inserted(evicted: 1))
    #expect(memory.count == 5 && memory.counters.evictions == 2 && memory.counters.insertions == 7)
    memory.checkInvariants()
  }

  @Test("The same seed gives the same memory")
  func sameSeedSameMemory() throws {
    func run(seed: UInt64) throws -> [MemoryItem] {
      var memory = ReplayMemory(capacity: .examples(50), seed: seed)
      for id in 0..<1_000 {
        try memory.offer(.synthetic(id), loss: Float(id % 7), priority: Float(id % 5 + 1))
        if id % 10 == 0 { _ = try memory.draw(8, step: id, batch: 0) }
      }
      return Array(memory.items)
    }
    #expect(try run(seed: 1) == run(seed: 1))
    #expect(try run(seed: 1) != run(seed: 2))
  }

  @Test("A capacity in bytes is never exceeded")
  func budgetInBytesHoldsAtEveryInstant() throws {
    for seed in 0..<20 as Range<UInt64> {
      let limit = 20_000
      var memory = ReplayMemory(capacity: .bytes(limit), seed: seed)
      var sizes = SeededGenerator(seed: seed, .test)
      var highest = 0
      for id in 0..<1_000 {
        let image = EncodedImage(bytes: Array(repeating: 0, count: 1 + sizes.next(below: 900)))
        try memory.offer(Example(id: id, label: 0, image: image), loss: 1, priority: 1)
        highest = max(highest, memory.counters.bytes)
      }
      #expect(highest <= limit)
      memory.checkInvariants()
      // The memory is full: the free space is less than the largest item.
      #expect(memory.counters.bytes > limit - 900 - memory.indexBytesPerItem)
      let held = memory.items.reduce(0) { $0 + $1.bytes } + memory.count * memory.indexBytesPerItem
      #expect(held == memory.counters.bytes)
    }
  }

  /// Free space after an eviction must not favour small images.
  @Test("A capacity in bytes accepts small and large images equally often")
  func budgetInBytesTakesInSmallAndLargeAlike() throws {
    var (small, large, offered) = (0, 0, 0)
    for seed in 0..<100 as Range<UInt64> {
      var memory = ReplayMemory(capacity: .bytes(20_000), seed: seed)
      for id in 0..<1_200 {
        let image = EncodedImage(bytes: Array(repeating: 0, count: id % 2 == 0 ? 10 : 1_000))
        let outcome = try memory.offer(Example(id: id, label: 0, image: image), loss: 1, priority: 1)
        guard id >= 200 else { continue }
        offered += 1
        if case .inserted = outcome { if id % 2 == 0 { small += 1 } else { large += 1 } }
      }
    }
    let probability = Double(small + large) / Double(offered)
    let tolerance = Statistics.binomialTolerance(probability: probability, trials: offered / 2, sigmas: 4.5)
    let difference = Double(small - large) / Double(offered / 2)
    #expect(abs(difference) < 2 * tolerance, "small \(small), large \(large) of \(offered / 2) each")
  }

  /// The size of an item is that of its stored form, which is made only for inserted images.
  @Test(
    "The stored form is made only for accepted images",
    arguments: [ReplayMemory.Capacity.examples(20), .bytes(20_000)])
  func whatIsStoredIsMadeOnlyForWhatIsTakenIn(capacity: ReplayMemory.Capacity) throws {
    var memory = ReplayMemory(capacity: capacity, seed: 1)
    var made = 0
    for id in 0..<2_000 {
      try memory.offer(.synthetic(id), loss: 1, priority: 1) { image in
        made += 1
        return EncodedImage(bytes: image.bytes + Array(repeating: 0, count: 300))
      }
    }
    memory.checkInvariants()
    #expect(made == memory.counters.insertions && made < 1_000)
    #expect(memory.items.allSatisfy { $0.bytes == 316 })
  }

  @Test("A stored form that cannot be made leaves the memory unchanged")
  func aFormThatCannotBeMadeLeavesTheMemoryAsItWas() throws {
    struct Failure: Error {}
    var memory = ReplayMemory(capacity: .examples(1), seed: 1)
    try memory.offer(.synthetic(0), loss: 1, priority: 1)
    #expect(throws: Failure.self) {
      for id in 1..<100 { try memory.offer(.synthetic(id), loss: 1, priority: 1) { _ in throw Failure() } }
    }
    memory.checkInvariants()
    #expect(memory.items.map(\.id) == [0])
  }

  @Test("An example larger than the capacity is counted")
  func anExampleLargerThanTheBudgetIsCounted() throws {
    var memory = ReplayMemory(capacity: .bytes(500), seed: 1)
    #expect(try memory.offer(.synthetic(0, bytes: 490), loss: 1, priority: 1) == .oversized)
    #expect(memory.count == 0 && memory.counters.oversized == 1 && memory.counters.examplesSeen == 1)
  }
}
