import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@Suite("Snapshots of a memory") struct SnapshotTests {
  static let kinds =
    SelectorTests.kinds.filter { $0 != .cbrs }.flatMap { drawing in
      [SelectorKind.uniform, .prioritised, .fewestReplays, .cbrs].map { (drawing, $0) }
    } + SelectorTests.kinds.map { (SelectorKind.mixture(.prioritised, .classBalanced, share: 0.5), $0) }

  func makeMemory(
    _ drawing: SelectorKind, _ evicting: SelectorKind, _ capacity: ReplayMemory.Capacity = .examples(40),
    seed: UInt64
  ) -> ReplayMemory {
    ReplayMemory(capacity: capacity, drawing: drawing, evicting: evicting, seed: seed)
  }

  /// Makes a step of a run: draws, refreshed priorities, offers. Returns the drawn examples.
  func advance(_ memory: inout ReplayMemory, step: Int, seed: UInt64) throws -> [Int] {
    var chance = SeededGenerator(seed: seed, .test, step)
    let drawn = try memory.draw(12, step: step, batch: 0)
    for item in drawn.prefix(3) {
      memory.refresh(item, loss: 1, priority: Float(chance.nextUnit() * chance.nextUnit()))
    }
    for id in step * 8..<step * 8 + 8 {
      // Priorities over many binary exponents, some of them 0.
      let priority = chance.nextBool() ? Float(chance.nextUnit()) : Float(chance.nextUnit() * 1e-6)
      try memory.offer(
        .synthetic(id, label: chance.next(below: 5), bytes: 1 + chance.next(below: 60)), loss: 1,
        priority: chance.next(below: 20) == 0 ? 0 : priority)
    }
    return drawn.map(\.example.id)
  }

  func restored(_ memory: ReplayMemory, into empty: ReplayMemory) throws -> ReplayMemory {
    // As from disk: every image by its ID.
    let images = Dictionary(
      uniqueKeysWithValues: memory.items.map { ($0.id, Example.synthetic($0.id, bytes: $0.bytes).image) })
    var copy = empty
    try copy.restore(memory.snapshot) { try #require(images[$0.id]) }
    return copy
  }

  /// The test covers every selector, drawing and evicting, and both kinds of capacity.
  @Test("A restored memory continues like the original", arguments: kinds)
  func aRestoredMemoryGoesOnAlike(drawing: SelectorKind, evicting: SelectorKind) throws {
    for seed in 1...8 as ClosedRange<UInt64> {
      for capacity in [ReplayMemory.Capacity.examples(40), .bytes(9_000)] {
        var memory = makeMemory(drawing, evicting, capacity, seed: seed)
        let pause = 5 + Int(seed) * 7
        for step in 0..<pause { _ = try advance(&memory, step: step, seed: seed) }
        var copy = try restored(memory, into: makeMemory(drawing, evicting, capacity, seed: seed))
        copy.checkInvariants()
        for step in pause..<pause + 40 {
          let (ours, theirs) = (
            try advance(&memory, step: step, seed: seed), try advance(&copy, step: step, seed: seed)
          )
          #expect(ours == theirs, "seed \(seed), step \(step)")
        }
        #expect(memory.snapshot == copy.snapshot, "seed \(seed)")
      }
    }
  }

  /// In older versions an item took another number of bytes, and some items took 40 more. The bytes are counted again.
  @Test(
    "A snapshot of an older version is read",
    arguments: [
      (SelectorKind.prioritised, SelectorKind.uniform, 108, 0), (.prioritised, .uniform, 63, 0),
      (.prioritised, .prioritised, 120, 0), (.uniform, .uniform, 96, 0), (.oldest, .prioritised, 140, 0),
      (.prioritised, .uniform, 31, 0), (.prioritised, .uniform, 31, 7), (.uniform, .fewestReplays, 56, 1),
    ])
  func aSnapshotOfAnOlderProgramIsRead(
    drawing: SelectorKind, evicting: SelectorKind, former: Int, unusual: Int
  ) throws {
    var memory = makeMemory(drawing, evicting, .examples(37), seed: 2)
    for step in 0..<20 { _ = try advance(&memory, step: step, seed: 2) }
    var old = memory.snapshot
    let more = old.items.count * (former - memory.indexBytesPerItem) + unusual * 40
    old.counters.bytes += more
    old.counters.peakBytes += more
    var copy = makeMemory(drawing, evicting, .examples(37), seed: 2)
    try copy.restore(old) { Example.synthetic($0.id, bytes: $0.bytes).image }
    copy.checkInvariants()
    #expect(copy.counters.bytes == memory.counters.bytes)
    #expect(copy.counters.peakBytes == max(old.counters.peakBytes, memory.counters.bytes))
    for step in 20..<40 {
      #expect(try advance(&copy, step: step, seed: 2) == advance(&memory, step: step, seed: 2))
    }
  }

  /// Items took 31 bytes, and take 47 now. The memory exceeds its capacity until the next offer.
  @Test("A memory that an older version filled to its capacity in bytes is read")
  func aMemoryThatWasFullIsRead() throws {
    let (items, limit) = (20, 20 * (31 + 16))
    var memory = ReplayMemory(capacity: .examples(items), seed: 2)
    for id in 0..<items { try memory.offer(.synthetic(id), loss: 1, priority: 1) }
    var old = memory.snapshot
    (old.counters.bytes, old.counters.peakBytes, old.hasBeenFull) = (limit, limit, true)
    var copy = ReplayMemory(capacity: .bytes(limit), inclusion: .init(recencyBias: 1e9), seed: 2)
    try copy.restore(old) { Example.synthetic($0.id).image }
    #expect(copy.count == items && copy.counters.bytes == items * (47 + 16) && copy.fill == 1)
    try copy.offer(.synthetic(items), loss: 1, priority: 1)
    #expect(copy.count == limit / (47 + 16) && copy.counters.bytes <= limit)
    old.counters.peakBytes += 1
    var other = ReplayMemory(capacity: .bytes(limit), seed: 2)
    #expect(throws: OnePassError.self) { try other.restore(old) { Example.synthetic($0.id).image } }
  }

  /// Each contradiction is found, whatever it is that was damaged.
  @Test("A damaged snapshot is rejected")
  func aDamagedSnapshotIsRefused() throws {
    var memory = makeMemory(.prioritised, .oldest, seed: 1)
    for step in 0..<20 { _ = try advance(&memory, step: step, seed: 1) }
    func at(_ id: Int, _ item: MemoryItem) -> MemoryItem {
      MemoryItem(
        id: id, label: item.label, loss: item.loss, priority: item.priority, draws: item.draws,
        bytes: item.bytes)
    }
    let damages: [(String, (inout MemorySnapshot) -> Void)] = [
      ("order", { $0.drawingArrangement.swapAt(0, $0.drawingArrangement.count - 1) }),
      ("order", { $0.drawingArrangement[3] = $0.drawingArrangement[4] }),
      ("order", { $0.drawingArrangement.removeLast() }),
      ("order", { $0.drawingArrangement[0] = 4_000_000_000 }),
      ("order", { $0.evictingArrangement = [0] }),
      ("counters", { $0.counters.items += 1 }), ("counters", { $0.counters.bytes -= 1 }),
      ("counters", { $0.counters.insertions += 1 }), ("held more", { $0.counters.peakItems = 41 }),
      ("never offered", { $0.counters.examplesSeen = 3 }),
      ("never offered", { $0.items[2] = at(1 << 36, $0.items[2]) }),
      ("occurs twice", { $0.items[1] = $0.items[0] }), ("order", { $0.items.removeLast() }),
    ]
    for (index, (word, damage)) in damages.enumerated() {
      var snapshot = memory.snapshot
      damage(&snapshot)
      var copy = makeMemory(.prioritised, .oldest, seed: 1)
      #expect("damage \(index)") {
        try copy.restore(snapshot) { Example.synthetic($0.id, bytes: $0.bytes).image }
      } throws: { error in
        (error as? OnePassError)?.code == .badData && "\(error)".contains(word)
      }
    }
    var copy = makeMemory(.prioritised, .oldest, seed: 1)
    #expect {
      try copy.restore(memory.snapshot) { Example.synthetic($0.id, bytes: $0.bytes + 1).image }
    } throws: { "\($0)".contains("bytes instead of") }
  }
}
