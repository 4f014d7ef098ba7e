import OnePassCore
import OnePassReplay
import TestSupport
import Testing

/// Properties of CBRS that Chrysakis and Moens (2020, sections 3 and 4) state.
@Suite("Class-balancing reservoir sampling") struct ClassBalancingTests {
  /// Labels with the given numbers of examples, in a random order.
  static func labels(_ counts: [Int], seed: UInt64) -> [Int] {
    var chance = SeededGenerator(seed: seed, .test)
    var labels = counts.enumerated().flatMap { Array(repeating: $0, count: $1) }
    labels.shuffle(using: &chance)
    return labels
  }

  static func memory(
    of labels: [Int], capacity: ReplayMemory.Capacity, evicting: SelectorKind = .cbrs, seed: UInt64
  ) throws -> ReplayMemory {
    var memory = ReplayMemory(
      capacity: capacity, inclusion: InclusionProbability(recencyBias: 1), drawing: .uniform,
      evicting: evicting, seed: seed)
    for (id, label) in labels.enumerated() {
      try memory.offer(.synthetic(id, label: label, bytes: 8), loss: 1, priority: 1)
    }
    memory.checkInvariants()
    return memory
  }

  static func held(_ memory: ReplayMemory, classes: Int) -> [Int] {
    memory.items.reduce(into: [Int](repeating: 0, count: classes)) { $0[$1.label] += 1 }
  }

  /// As balanced as the stream allows: the largest minimum that these counts have.
  @Test(
    "A memory is as balanced as its stream allows",
    arguments: [
      ([4_479, 468, 53], 60, [20, 20, 20]), ([5_000, 300, 7], 60, [27, 26, 7]),
      ([1_000, 1_000, 2, 1], 43, [20, 20, 2, 1]), ([500, 0, 500], 20, [10, 0, 10]),
    ])
  func balanced(counts: [Int], capacity: Int, expected: [Int]) throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      let labels = Self.labels(counts, seed: seed)
      let memory = try Self.memory(of: labels, capacity: .examples(capacity), seed: seed)
      let held = Self.held(memory, classes: counts.count)
      #expect(held.reduce(0, +) == capacity)
      // Which of equally large classes has the remainder depends on the order of the stream.
      for (held, expected) in zip(held, expected) {
        #expect(abs(held - expected) <= (expected > 20 ? 1 : 0), "seed \(seed): \(held)")
      }
      let biased = try Self.memory(
        of: labels, capacity: .examples(capacity), evicting: .largestClass, seed: seed)
      if counts == [4_479, 468, 53] {
        #expect(Self.held(biased, classes: 3)[2] < 15, "the reservoir decides")
      }
    }
  }

  /// Each example of a full class is held with the same probability, early or late.
  @Test("The items of a full class are a uniform sample of its examples")
  func uniform() throws {
    let (parts, runs) = (10, 500)
    var held = [Int](repeating: 0, count: parts)
    for seed in 1...UInt64(runs) {
      let labels = Self.labels([360, 36, 4], seed: seed)
      let memory = try Self.memory(of: labels, capacity: .examples(24), seed: seed)
      let positions = labels.indices.filter { labels[$0] == 0 }
      let rank = Dictionary(uniqueKeysWithValues: positions.enumerated().map { ($1, $0) })
      for item in memory.items where item.label == 0 {
        held[try #require(rank[item.id]) * parts / positions.count] += 1
      }
    }
    let statistic = Statistics.chiSquared(
      observed: held, probabilities: Array(repeating: 1 / Double(parts), count: parts))
    // Draws without replacement vary less than the multinomial distribution.
    #expect(statistic < Statistics.chiSquaredBound(degreesOfFreedom: parts - 1, sigmas: 4), "\(held)")
  }

  @Test("A capacity in bytes is balanced too")
  func bytes() throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      let labels = Self.labels([4_479, 468, 53], seed: seed)
      let cost = try Self.memory(of: [0], capacity: .examples(1), seed: 1).counters.bytes
      let memory = try Self.memory(of: labels, capacity: .bytes(60 * cost), seed: seed)
      #expect(Self.held(memory, classes: 3) == [20, 20, 20], "seed \(seed)")
    }
  }

  /// A subject may take back all examples of a class. Later examples of the class are inserted again.
  @Test("A class that was forgotten is inserted again")
  func forgotten() throws {
    let labels = Self.labels([400, 400], seed: 3)
    var memory = try Self.memory(of: labels, capacity: .examples(20), seed: 3)
    _ = try memory.forget { $0.label == 0 }
    for id in 800..<900 { try memory.offer(.synthetic(id, label: 1, bytes: 8), loss: 1, priority: 1) }
    #expect(Self.held(memory, classes: 2) == [0, 20])
    for id in 900..<960 { try memory.offer(.synthetic(id, label: 0, bytes: 8), loss: 1, priority: 1) }
    #expect(Self.held(memory, classes: 2)[0] > 0)
    memory.checkInvariants()
  }

  @Test("A damaged arrangement is rejected", arguments: [0, 1, 2, 3, 4])
  func damaged(kind: Int) throws {
    let memory = try Self.memory(of: Self.labels([90, 10], seed: 1), capacity: .examples(10), seed: 1)
    var snapshot = memory.snapshot
    let last = snapshot.evictingArrangement.count - 1
    switch kind {
    case 0: snapshot.evictingArrangement.removeLast()
    case 1: snapshot.evictingArrangement.removeLast(3)
    case 2: snapshot.evictingArrangement[last] = 2
    case 3: snapshot.evictingArrangement[last - 2] = 0
    default: snapshot.evictingArrangement[last - 1] = .max
    }
    var copy = ReplayMemory(capacity: .examples(10), drawing: .uniform, evicting: .cbrs, seed: 1)
    #expect {
      try copy.restore(snapshot) { Example.synthetic($0.id, bytes: $0.bytes).image }
    } throws: { ($0 as? OnePassError)?.code == .badData }
  }
}
