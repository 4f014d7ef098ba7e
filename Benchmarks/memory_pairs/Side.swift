import OnePassCore
import ReplaySide

/// A replay memory and the work that is timed; copied for each of the two builds, with the name of its module.
struct SideMemory: MemoryWork {
  private static let batch = 128
  private var memory: ReplayMemory
  private let image: EncodedImage
  private let firstLabel: Int
  private let priorities: [Float]
  private var drawn: [DrawnExample] = []
  private var (offered, steps) = (0, 0)

  init(items: Int, image: EncodedImage, firstLabel: Int, recencyBias: Double) throws {
    memory = ReplayMemory(
      capacity: .examples(items), inclusion: InclusionProbability(recencyBias: recencyBias), seed: 1)
    (self.image, self.firstLabel) = (image, firstLabel)
    var chance = SeededGenerator(seed: 1, .test)
    priorities = (0..<32_768).map { _ in Float(0.1 + 0.9 * chance.nextUnit()) }
    try offer(batches: items / Self.batch)
  }

  var indexBytesPerItem: Int { memory.indexBytesPerItem }
  /// What is counted for an item beyond its image.
  var countedBytesPerItem: Int { memory.counters.bytes / memory.count - image.byteCount }

  mutating func offer(batches: Int) throws {
    for _ in 0..<batches {
      let ids = offered..<offered + Self.batch
      try memory.offer(
        ids.map { Example(id: $0, label: firstLabel + $0 % 10, image: image) },
        losses: Array(repeating: 1, count: Self.batch),
        priorities: ids.map { priorities[$0 % priorities.count] })
      offered += Self.batch
    }
  }

  mutating func draw(batches: Int) throws -> Int {
    var sum = 0
    for _ in 0..<batches {
      for item in try memory.draw(Self.batch, step: steps, batch: 0) { sum &+= item.example.id }
      steps += 1
    }
    return sum
  }

  /// Draws what ``update()`` is about, so much of it that no cache has it then.
  mutating func prepareUpdate(batches: Int) throws {
    drawn = try (0..<batches).flatMap { try memory.draw(Self.batch, step: steps, batch: $0) }
    steps += 1
  }

  mutating func update() {
    for (index, item) in drawn.enumerated() {
      memory.refresh(item, loss: 2, priority: priorities[(steps + index) % priorities.count])
    }
  }

  mutating func endUpdate() { drawn = [] }

  func snapshotItems() -> Int { memory.snapshot.items.count }
}
