import OnePassCore
import OnePassReplay
import TestSupport
import Testing

/// Notes are opaque to the memory. Here they are random bytes.
@Suite("Notes of items") struct ItemNoteTests {
  static let size = 12

  func random(_ chance: inout SeededGenerator, size: Int = Self.size) -> ItemNote {
    ItemNote((0..<size).map { _ in UInt8(chance.next(below: 256)) })
  }

  func makeMemory(
    _ capacity: ReplayMemory.Capacity = .examples(40), drawing: SelectorKind = .prioritised,
    evicting: SelectorKind = .uniform
  ) -> ReplayMemory {
    ReplayMemory(capacity: capacity, drawing: drawing, evicting: evicting, seed: 3, noteBytes: Self.size)
  }

  @Test("Notes count in the size of an item only")
  func notesAreCounted() throws {
    for (drawing, bytes) in [(SelectorKind.prioritised, 47), (.uniform, 40)] {
      let plain = ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1)
      #expect(plain.indexBytesPerItem == bytes && plain.noteBytes == 0)
      #expect(makeMemory(drawing: drawing).indexBytesPerItem == bytes + 12)
    }
    var memory = makeMemory()
    var chance = SeededGenerator(seed: 1, .test)
    for id in 0..<200 {
      try memory.offer(.synthetic(id), loss: 1, priority: 1, note: random(&chance))
    }
    #expect(memory.counters.bytes == 40 * (47 + 12 + 16))
    let budget = 2_000
    var inBytes = makeMemory(.bytes(budget))
    for id in 0..<200 {
      try inBytes.offer(.synthetic(id), loss: 1, priority: 1, note: random(&chance))
    }
    #expect(inBytes.counters.peakItems == budget / (47 + 12 + 16))
  }

  @Test(
    "Each item keeps the note that it was given last, whatever is inserted, removed and moved",
    arguments: [SelectorKind.uniform, .oldest, .fewestReplays],
    [ReplayMemory.Capacity.examples(40), .bytes(2_500)])
  func eachItemHasItsNote(evicting: SelectorKind, capacity: ReplayMemory.Capacity) throws {
    var memory = makeMemory(capacity, evicting: evicting)
    var chance = SeededGenerator(seed: 5, .test)
    var known: [Int: ItemNote] = [:]
    var stale: [DrawnExample] = []
    var copy: (memory: ReplayMemory, known: [Int: ItemNote])?
    var losses = 0
    for step in 0..<80 {
      let drawn = try memory.draw(8, step: step, batch: 0)
      for item in drawn { #expect(item.note == known[item.example.id]) }
      for item in drawn.prefix(4) {
        let note = random(&chance)
        memory.refresh(item, note: note)
        known[item.example.id] = note
      }
      // Items of earlier steps, some of which were replaced.
      for item in stale where !memory.items.contains(where: { $0.id == item.example.id }) {
        memory.refresh(item, note: random(&chance))
        losses += 1
      }
      stale = Array(drawn.suffix(4))
      for id in step * 8..<step * 8 + 8 {
        let note = random(&chance)
        known[id] = note
        try memory.offer(
          .synthetic(id, bytes: 1 + id % 30), loss: 1, priority: Float(chance.nextUnit()),
          note: note)
      }
      if step % 7 == 6 { try memory.forget { $0.id % 5 == step % 5 } }
      memory.checkInvariants()
      for item in memory.items { #expect(item.note == known[item.id], "step \(step)") }
      if step == 40 { copy = (memory, known) }
    }
    // With the fewest replays first, drawn items are evicted last.
    #expect((losses > 20 || evicting == .fewestReplays) && memory.count > 20)
    // A copy is unchanged.
    let kept = try #require(copy)
    for item in kept.memory.items { #expect(item.note == kept.known[item.id]) }
  }

  @Test("A copy of the memory keeps its notes when the other gets new ones")
  func aCopyKeepsItsNotes() throws {
    var memory = makeMemory()
    var chance = SeededGenerator(seed: 7, .test)
    try memory.offer(.synthetic(0), loss: 1, priority: 1, note: random(&chance))
    let drawn = try memory.draw(1, step: 0, batch: 0)[0]
    let copy = memory
    let note = random(&chance)
    memory.refresh(drawn, note: note)
    #expect(memory.items.map(\.note) == [note] && copy.items.map(\.note) == [drawn.note])
  }

  @Test("A mini-batch is offered with the notes of its examples")
  func aMiniBatchIsOfferedWithItsNotes() throws {
    var (together, apart) = (makeMemory(), makeMemory())
    var chance = SeededGenerator(seed: 2, .test)
    for batch in 0..<20 {
      let examples = (batch * 10..<batch * 10 + 10).map { Example.synthetic($0) }
      let notes = examples.map { _ in random(&chance) }
      let ones = examples.map { _ in Float(1) }
      try together.offer(examples, losses: ones, priorities: ones, notes: notes)
      for (example, note) in zip(examples, notes) {
        try apart.offer(example, loss: 1, priority: 1, note: note)
      }
    }
    #expect(together.snapshot == apart.snapshot)
  }

  @Test("A snapshot contains notes")
  func aSnapshotHasThem() throws {
    var memory = makeMemory()
    var chance = SeededGenerator(seed: 4, .test)
    for id in 0..<90 {
      try memory.offer(.synthetic(id), loss: 1, priority: 1, note: random(&chance))
    }
    func image(_ item: MemoryItem) -> EncodedImage { Example.synthetic(item.id).image }
    var copy = makeMemory()
    try copy.restore(memory.snapshot, image: image)
    #expect(copy.snapshot == memory.snapshot && Set(copy.items.map(\.note)).count == 40)
    let (ours, theirs) = (
      try memory.draw(30, step: 0, batch: 0), try copy.draw(30, step: 0, batch: 0)
    )
    #expect(ours.map(\.note) == theirs.map(\.note))

    // A memory without notes, and one with notes of another size.
    let others = [
      ReplayMemory(capacity: .examples(40), seed: 3),
      ReplayMemory(capacity: .examples(40), seed: 3, noteBytes: 11),
    ]
    for other in others {
      var other = other
      #expect { try other.restore(memory.snapshot, image: image) } throws: {
        ($0 as? OnePassError)?.code == .badData && "\($0)".contains("does not have a note of")
      }
    }
  }
}
