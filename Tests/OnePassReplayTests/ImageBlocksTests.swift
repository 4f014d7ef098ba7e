import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

/// The index of an item, and the storage of images in RAM.
@Suite("Images in RAM and their index") struct ImageBlocksTests {
  /// Position 8, address of the image 8, label, draws, size and sides 4 each, loss 4. The default selectors add 3 for the
  /// priority and 8 for the order in both directions.
  @Test("The index of an item has the documented size")
  func theIndexOfAnItemHasItsSize() {
    func index(_ drawing: SelectorKind) -> Int {
      ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1).indexBytesPerItem
    }
    #expect(index(.prioritised) == 47)
    #expect(index(.uniform) == 40)
    #expect(index(.fewestReplays) == index(.oldest))
  }

  static let kinds: [(label: Int, bytes: Int, encoding: EncodedImage.Encoding)] = [
    (0, 0, .file), (1_023, 6, .file), (Int(Int32.max), 6, .file), (7, 1 << 20, .file),
    (0, 65_535, .pixels(width: 65_535, height: 1, channels: 1)),
    (21_840, 3 * 65_535, .pixels(width: 1, height: 65_535, channels: 3)),
    (1_024, 8, .pixels(width: 2, height: 2, channels: 2)), (3, 12, .pixels(width: 2, height: 2, channels: 3)),
    (0, 4_096 * 5, .pixels(width: 4_096, height: 1, channels: 5)),
  ]

  /// Items are restored exactly. Each costs its bytes and the same index.
  @Test(
    "Every kind of item is stored at the same index cost",
    arguments: [ReplayMemory.Capacity.examples(9), .bytes(4 << 20)])
  func everyItemCostsTheSameIndex(capacity: ReplayMemory.Capacity) throws {
    func example(_ id: Int) -> Example {
      let kind = Self.kinds[id % Self.kinds.count]
      return Example(
        id: id << 40, label: kind.label,
        image: EncodedImage(
          bytes: Array(repeating: UInt8(truncatingIfNeeded: id), count: kind.bytes), encoding: kind.encoding))
    }
    var memory = ReplayMemory(capacity: capacity, seed: 4)
    for id in 0..<9 {
      let before = memory.counters.bytes
      try memory.offer(example(id), loss: 1, priority: 1)
      #expect(memory.counters.bytes - before == memory.cost(of: example(id).image))
    }
    #expect(memory.counters.bytes == Self.kinds.reduce(0) { $0 + $1.bytes + 47 })

    for id in 9..<60 { try memory.offer(example(id), loss: 1, priority: 1) }
    _ = try memory.forget { ($0.id >> 40) % 4 == 0 }
    for id in 60..<90 { try memory.offer(example(id), loss: 1, priority: 1) }
    for drawn in try memory.draw(100, step: 0, batch: 0) {
      let original = example(drawn.example.id >> 40)
      #expect(drawn.example.label == original.label && drawn.example.image == original.image)
    }
    for (item, image) in memory.images() {
      let original = example(item.id >> 40)
      #expect(item.label == original.label && item.id == original.id && image == original.image)
    }
    memory.checkInvariants()

    // The counted size is the same with and without images. Positions beyond the offered examples are rejected.
    var snapshot = memory.snapshot
    snapshot.counters.examplesSeen = 1 << 47
    for image in [{ example($0.id >> 40).image }, nil] as [((MemoryItem) -> EncodedImage)?] {
      var copy = ReplayMemory(capacity: capacity, seed: 4)
      try copy.restore(snapshot, image: image)
      copy.checkInvariants()
      #expect(copy.snapshot == snapshot)
    }
  }

  /// The count stops at 2^32 - 1.
  @Test("Draws are counted exactly")
  func drawsAreCountedExactly() throws {
    let most = Int(UInt32.max)
    for drawing in [SelectorKind.prioritised, .fewestReplays] {
      for (draws, visits) in [
        (131_069, [131_070, 131_071, 131_072, 131_073]), (most - 2, [most - 1, most, most, most]),
      ] {
        var memory = ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1)
        try memory.offer(.synthetic(3), loss: 1, priority: 1)
        var snapshot = memory.snapshot
        snapshot.items[0] = MemoryItem(id: 0, label: 3, loss: 1, priority: 1, draws: draws, bytes: 16)
        var later = ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1)
        try later.restore(snapshot) { _ in Example.synthetic(3).image }
        #expect(try later.draw(4, step: 0, batch: 0).map(\.visit) == visits)
        #expect(later.counters.distinctDrawn == 0)
        #expect(later.items.map(\.draws) == [visits[3]] && later.items.map(\.label) == [3])
      }
    }
  }

  /// A drawn image outlives changes of the memory, and the memory itself.
  @Test(
    "A drawn image stays unchanged while it is in use", arguments: [SelectorKind.prioritised, .fewestReplays])
  func whatWasDrawnStays(drawing: SelectorKind) throws {
    var memory: ReplayMemory? = ReplayMemory(
      capacity: .examples(20), inclusion: InclusionProbability(recencyBias: 1e9), drawing: drawing, seed: 1)
    var kept: [Example] = []
    for id in 0..<400 {
      try memory?.offer(.synthetic(id, bytes: 40 + id / 100), loss: 1, priority: 1)
      if id % 7 == 0 { kept += try memory?.draw(3, step: id, batch: 0).map(\.example) ?? [] }
      if id % 50 == 49 { try memory?.forget { $0.id % 2 == 0 } }
      if id % 90 == 89 { kept.removeFirst(kept.count / 2) }
    }
    memory = nil
    #expect(kept.count > 50)
    for example in kept {
      #expect(example.image == Example.synthetic(example.id, bytes: 40 + example.id / 100).image)
    }
  }

  /// Decode threads release mini-batches while the memory draws and replaces items.
  @Test("Drawn examples can be released on any thread")
  func drawnExamplesMayGoOnAnyThread() throws {
    var memory = ReplayMemory(
      capacity: .examples(50), inclusion: InclusionProbability(recencyBias: 1e9), seed: 1)
    let queue = DispatchQueue(label: "decoders", attributes: .concurrent)
    let group = DispatchGroup()
    for id in 0..<2_000 {
      try memory.offer(.synthetic(id, bytes: 30 + id % 3), loss: 1, priority: 1)
      let drawn = try memory.draw(8, step: id, batch: 0)
      queue.async(group: group) {
        for example in drawn.map(\.example) {
          #expect(example.image == Example.synthetic(example.id, bytes: 30 + example.id % 3).image)
        }
      }
    }
    group.wait()
    memory.checkInvariants()
  }

  /// Changes of one copy do not affect the other.
  @Test("A copy of a memory is independent")
  func aCopyIsAValue() throws {
    var first = ReplayMemory(
      capacity: .examples(30), inclusion: InclusionProbability(recencyBias: 1e9), seed: 1)
    for id in 0..<30 { try first.offer(.synthetic(id), loss: 1, priority: 1) }
    var second = first
    for id in 30..<90 { try first.offer(.synthetic(id), loss: 1, priority: 1) }
    try second.forget { $0.id % 2 == 0 }
    #expect(second.count == 15 && second.items.allSatisfy { $0.id < 30 } && first.count == 30)
    for memory in [first, second] {
      for (item, image) in memory.images() { #expect(image == Example.synthetic(item.id).image) }
      memory.checkInvariants()
    }
  }

  #if os(Linux)
    /// The test reads the memory of the process from outside. It contains nothing of a forgotten image, even if a drawn example
    /// used the image for some time.
    @Test("A forgotten image is overwritten in memory", arguments: [true, false])
    func whatIsForgottenIsOverwritten(isOnLoan: Bool) throws {
      var memory = ReplayMemory(capacity: .examples(4), seed: 1)
      for id in 0..<4 {
        let image = EncodedImage(bytes: Array(repeating: 0xA5, count: 3_000))
        try memory.offer(Example(id: id, label: 0, image: image), loss: 1, priority: 1)
      }
      let addresses = memory.images().map { _, image in
        image.withUnsafeBufferPointer { UInt64(UInt(bitPattern: $0.baseAddress)) }
      }
      let process = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/mem"))
      func secrets(at address: UInt64) throws -> Int {
        try process.seek(toOffset: address)
        return try process.read(upToCount: 3_000)?.count { $0 == 0xA5 } ?? 0
      }
      #expect(try addresses.map(secrets) == [3_000, 3_000, 3_000, 3_000])
      do {
        let drawn = try memory.draw(isOnLoan ? 64 : 0, step: 0, batch: 0)
        try memory.forget { _ in true }
        if isOnLoan {
          #expect(Set(drawn.map(\.example.id)).count == 4)
          #expect(try addresses.map(secrets) == [3_000, 3_000, 3_000, 3_000])
        }
      }
      // Bytes that the allocator has written there since do not count.
      #expect(try addresses.map(secrets).allSatisfy { $0 < 100 })
    }
  #endif
}
