import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

/// What the memory keeps of an item, and where its images lie in RAM.
@Suite("Images in RAM and their index") struct ImageBlocksTests {
  /// With the default selectors: position, label, draws and form 8, where the image is and its size 8, loss 4, priority 3,
  /// the selector's order both ways 8. Where draws decide about choices they take 4 of their own.
  @Test("The index of an item has the documented size")
  func theIndexOfAnItemIsSmall() {
    func index(_ drawing: SelectorKind) -> Int {
      ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1).indexBytesPerItem
    }
    #expect(index(.prioritised) == 31)
    #expect(index(.uniform) == 24)
    #expect(index(.fewestReplays) == index(.oldest) + 4)
  }

  static let unusual: [(label: Int, bytes: Int, encoding: EncodedImage.Encoding)] = [
    (1_024, 6, .file), (Int(Int32.max), 6, .file), (0, 1 << 20, .file),
    (0, 1_024, .pixels(width: 1_024, height: 1, channels: 1)),
    (0, 1_024, .pixels(width: 1, height: 1_024, channels: 1)),
    (0, 8, .pixels(width: 2, height: 2, channels: 2)), (0, 6, .pixels(width: 4, height: 1, channels: 1)),
  ]
  static let usual: [(label: Int, bytes: Int, encoding: EncodedImage.Encoding)] = [
    (0, 0, .file), (1_023, 6, .file), (7, (1 << 20) - 1, .file),
    (1_023, 1_023, .pixels(width: 1_023, height: 1, channels: 1)),
    (3, 12, .pixels(width: 2, height: 2, channels: 3)), (0, 0, .pixels(width: 0, height: 7, channels: 1)),
  ]

  /// Whatever fits in a row or not: it comes back as it was, and what is unusual costs what stands in front of it.
  @Test(
    "Unusual values are kept and counted", arguments: [ReplayMemory.Capacity.examples(13), .bytes(4 << 20)])
  func whatIsUnusualIsKeptAndCounted(capacity: ReplayMemory.Capacity) throws {
    let kinds = Self.unusual + Self.usual
    func example(_ id: Int) -> Example {
      let kind = kinds[id % kinds.count]
      return Example(
        id: id, label: kind.label,
        image: EncodedImage(
          bytes: Array(repeating: UInt8(truncatingIfNeeded: id), count: kind.bytes), encoding: kind.encoding))
    }
    var memory = ReplayMemory(capacity: capacity, seed: 4)
    for id in 0..<13 { try memory.offer(example(id), loss: 1, priority: 1) }
    let images = kinds.reduce(0) { $0 + $1.bytes }
    #expect(memory.counters.bytes == images + 13 * 31 + Self.unusual.count * 40)

    for id in 13..<60 { try memory.offer(example(id), loss: 1, priority: 1) }
    _ = try memory.forget { $0.id % 3 == 0 }
    for id in 60..<90 { try memory.offer(example(id), loss: 1, priority: 1) }
    for drawn in try memory.draw(100, step: 0, batch: 0) {
      let original = example(drawn.example.id)
      #expect(drawn.example.label == original.label && drawn.example.image == original.image)
    }
    for (item, image) in memory.images() {
      #expect(item.label == example(item.id).label && image == example(item.id).image)
    }
    memory.checkInvariants()

    var copy = ReplayMemory(capacity: capacity, seed: 4)
    try copy.restore(memory.snapshot) { example($0.id).image }
    copy.checkInvariants()
    #expect(copy.snapshot == memory.snapshot)
    // Without the images it is not known which of them are unusual.
    var index = ReplayMemory(capacity: capacity, seed: 4)
    try index.restore(memory.snapshot, image: nil)
    try index.forget { $0.id % 2 == 0 }
    var rest = ReplayMemory(capacity: capacity, seed: 4)
    try rest.restore(index.snapshot) { example($0.id).image }
    rest.checkInvariants()
  }

  /// 131,071 is the last number that a row has room for.
  @Test("Any number of draws is counted")
  func drawsAreCountedHoweverManyThereAre() throws {
    for (drawing, following) in [(SelectorKind.prioritised, 65_536), (.fewestReplays, 131_072)] {
      var memory = ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1)
      try memory.offer(.synthetic(3), loss: 1, priority: 1)
      var snapshot = memory.snapshot
      snapshot.items[0] = MemoryItem(id: 0, label: 3, loss: 1, priority: 1, draws: 131_069, bytes: 16)
      var later = ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1)
      try later.restore(snapshot) { _ in Example.synthetic(3).image }
      let visits = try later.draw(4, step: 0, batch: 0).map(\.visit)
      #expect(visits == [131_070, 131_071, following, following + 1])
      #expect(later.counters.distinctDrawn == 0)
      #expect(later.items.map(\.draws) == [following + 1] && later.items.map(\.label) == [3])
    }
  }

  /// What was drawn stays as it was while anybody has it, whatever the memory does, and after it is gone.
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

  /// A mini-batch goes on the threads that decoded it, while the memory draws and replaces.
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

  /// Two memories that were one have nothing to do with each other.
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
    /// Looked at from outside, as whoever finds the process's memory would: nothing of a forgotten image is left, also where
    /// a drawn example had it for some time.
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
      // What the allocator writes there since is not the image.
      #expect(try addresses.map(secrets).allSatisfy { $0 < 100 })
    }
  #endif
}
