import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@Suite("The replay memory") struct ReplayMemoryTests {
  @Test("Counters count insertions, evictions and draws")
  func countersCountWhatHappened() throws {
    var memory = ReplayMemory(capacity: .examples(100), seed: 1)
    var taken = 0
    var drawnIDs: Set<Int> = []
    for step in 0..<50 {
      let drawn = try memory.draw(16, step: step, batch: 0)
      #expect(drawn.count == (step == 0 ? 0 : 16))
      drawnIDs.formUnion(drawn.map(\.example.id))
      for id in step * 16..<step * 16 + 16 {
        if case .inserted = try memory.offer(.synthetic(id), loss: 1, priority: 1) { taken += 1 }
      }
    }
    let counters = memory.counters
    #expect(counters.examplesSeen == 800 && counters.insertions == taken && counters.evictions == taken - 100)
    #expect(counters.draws == 49 * 16 && counters.distinctDrawn == drawnIDs.count)
    #expect(counters.items == 100 && counters.peakItems == 100)
    #expect(counters.bytes == 100 * (memory.indexBytesPerItem + Example.synthetic(0).image.bytes.count))
    memory.checkInvariants()
  }

  @Test("Drawn examples equal those that were offered")
  func drawnExamplesAreTheOnesThatWereOffered() throws {
    var memory = ReplayMemory(capacity: .examples(64), seed: 2)
    for id in 0..<500 { try memory.offer(.synthetic(id, bytes: 1 + id % 50), loss: 1, priority: 1) }
    for drawn in try memory.draw(256, step: 0, batch: 0) {
      let original = Example.synthetic(drawn.example.id, bytes: 1 + drawn.example.id % 50)
      #expect(drawn.example.image == original.image && drawn.example.label == original.label)
    }
  }

  @Test("Visits count the replays of an item")
  func visitsCountTheReplaysOfAnItem() throws {
    var memory = ReplayMemory(capacity: .examples(4), seed: 2)
    for id in 0..<4 { try memory.offer(.synthetic(id), loss: 1, priority: 1) }
    var visits: [Int: Int] = [:]
    for drawn in try memory.draw(100, step: 0, batch: 0) {
      visits[drawn.example.id, default: 0] += 1
      #expect(drawn.visit == visits[drawn.example.id])
    }
    for item in memory.items { #expect(item.draws == visits[item.id, default: 0]) }
  }

  @Test("A refresh changes only items that are still stored", arguments: SelectorTests.drawingKinds)
  func refreshChangesOnlyAnItemThatIsStillThere(drawing: SelectorKind) throws {
    var memory = ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1)
    try memory.offer(.synthetic(0), loss: 1, priority: 0.5)
    let drawn = try memory.draw(1, step: 0, batch: 0)[0]
    memory.refresh(drawn, loss: 2, priority: 0.25)
    #expect(memory.items.map(\.priority) == [0.25] && memory.items.map(\.loss) == [2])
    try memory.offer(.synthetic(1), loss: 3, priority: 0.75)  // n = 2, β·m/n = 0.75
    try memory.offer(.synthetic(2), loss: 3, priority: 0.75)
    try memory.offer(.synthetic(3), loss: 3, priority: 0.75)
    #expect(memory.items.first?.id != 0)
    memory.refresh(drawn, loss: 9, priority: 0.125)
    #expect(memory.items.map(\.priority) == [0.75])
  }

  @Test("A refresh can use the stored loss")
  func aRefreshCanGoFromTheLossThatIsKept() throws {
    var memory = ReplayMemory(capacity: .examples(2), seed: 1)
    #expect(memory.meanLoss == nil)
    for id in 0..<2 { try memory.offer(.synthetic(id), loss: Float(4 + 2 * id), priority: 1) }
    #expect(memory.meanLoss == 5)
    for drawn in try memory.draw(3, step: 0, batch: 0) {
      let before = memory.items.first { $0.id == drawn.example.id }?.loss
      memory.refresh(drawn) { kept in
        #expect(kept == before)
        return (kept + 1, kept / 8)
      }
      let after = try #require(memory.items.first { $0.id == drawn.example.id })
      #expect(after.loss == (before ?? 0) + 1 && after.priority == (before ?? 0) / 8)
    }
    #expect(memory.meanLoss == 6.5)
  }

  @Test("Reprioritising uses the stored losses")
  func reprioritisingUsesTheStoredLosses() throws {
    var memory = ReplayMemory(capacity: .examples(10), seed: 1)
    for id in 0..<10 { try memory.offer(.synthetic(id), loss: Float(id), priority: 1) }
    memory.reprioritise { $0 == 3 ? 1 : 0 }
    #expect(try memory.draw(50, step: 0, batch: 0).allSatisfy { $0.example.id == 3 && $0.probability == 1 })
    memory.checkInvariants()
  }

  @Test("Every selector can draw and evict", arguments: SelectorKind.allCases)
  func everySelectorCanDrawAndEvict(kind: SelectorKind) throws {
    var memory = ReplayMemory(
      capacity: .examples(20), drawing: kind == .cbrs ? .uniform : kind, evicting: kind, seed: 6)
    var chance = SeededGenerator(seed: 6, .test)
    for step in 0..<100 {
      _ = try memory.draw(4, step: step, batch: 0)
      for id in step * 4..<step * 4 + 4 {
        try memory.offer(.synthetic(id), loss: 1, priority: Float(chance.nextUnit()))
      }
      memory.checkInvariants()
    }
    #expect(memory.count == 20)
  }

  @Test("Drawing the fewest replays reaches every item in turn")
  func drawingTheFewestReplayedReachesEveryItemInTurn() throws {
    var memory = ReplayMemory(capacity: .examples(10), drawing: .fewestReplays, seed: 1)
    for id in 0..<10 { try memory.offer(.synthetic(id), loss: 1, priority: 1) }
    #expect(try memory.draw(20, step: 0, batch: 0).map(\.example.id) == Array(0..<10) + Array(0..<10))
  }

  /// The outcomes are the same as for single offers.
  @Test(
    "Offering a mini-batch equals offering its examples one by one", arguments: SelectorKind.allCases,
    [ReplayMemory.Capacity.examples(40), .bytes(4_000)])
  func aMiniBatchIsOfferedAsItsExamplesWouldBe(evicting: SelectorKind, capacity: ReplayMemory.Capacity) throws
  {
    var together = ReplayMemory(capacity: capacity, evicting: evicting, seed: 3)
    var apart = together
    for batch in 0..<40 {
      let examples = (batch * 10..<batch * 10 + 10).map { Example.synthetic($0, bytes: 1 + $0 % 40) }
      let losses = examples.map { Float($0.id % 7) }
      let priorities = examples.map { Float($0.id % 5) }
      let fates = try examples.indices.map {
        try apart.offer(examples[$0], loss: losses[$0], priority: priorities[$0])
      }
      #expect(try together.offer(examples, losses: losses, priorities: priorities) == fates)
    }
    #expect(together.snapshot == apart.snapshot && apart.counters.evictions > 50)
  }
}
