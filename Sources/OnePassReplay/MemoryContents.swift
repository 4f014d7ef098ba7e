import OnePassCore

/// An item of the memory, without its image.
///
/// ```swift
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1)
/// try memory.offer(example, loss: 2.3, priority: 0.9)
/// for item in memory.items { print(item.id, item.label, item.loss) }
/// ```
public struct MemoryItem: Hashable, Sendable {
  /// The position in the stream.
  public let id: Int
  /// The class.
  public let label: Int
  /// The loss at insertion or of the last refresh, in nats; the running average, if priorities use it.
  public let loss: Float
  /// The priority; finite and at least 0.
  public let priority: Float
  /// How often it has been drawn, up to 2^32 - 1.
  public let draws: Int
  /// The size of the encoded image, in bytes.
  public let bytes: Int
  /// The subject of the example, if the stream records it.
  public let subject: String?
  /// The note of the item; `nil` if the memory stores none.
  public let note: ItemNote?

  /// Creates an item.
  public init(
    id: Int, label: Int, loss: Float, priority: Float, draws: Int, bytes: Int, subject: String? = nil,
    note: ItemNote? = nil
  ) {
    self.id = id
    self.label = label
    self.loss = loss
    self.priority = priority
    self.draws = draws
    self.bytes = bytes
    self.subject = subject
    self.note = note
  }
}

extension ReplayMemory {
  /// The used fraction of the capacity, 0 … 1.
  package var fill: Double {
    switch capacity {
    case .examples(let capacity): Double(counters.items) / Double(capacity)
    case .bytes(let capacity): min(1, Double(counters.bytes) / Double(capacity))
    }
  }

  /// Returns the subject of an item, if the stream records it.
  package func subject(of id: Int) -> String? { subjects[id] }

  /// The images in RAM, in slot order.
  package func images(
    where isIncluded: @escaping (MemoryItem) -> Bool = { _ in true }
  ) -> some Sequence<(MemoryItem, EncodedImage)> {
    (0..<count).lazy.compactMap { slot in
      let item = item(in: slot)
      guard isIncluded(item), let loan = table.lend([slot]) else { return nil }
      return (item, table.image(of: slot, on: loan))
    }
  }

  /// Returns images at evenly spaced ranks of priority, highest first, without counting draws.
  ///
  /// In a memory that several processes share, only images of this process are considered.
  /// - Parameter most: The maximum number of images.
  /// - Throws: `OnePassError` if images are on disk and one cannot be read.
  /// - Complexity: O(items · log items).
  package func imagesByPriority(_ most: Int) throws -> [EncodedImage] {
    let slots = (0..<count).filter { store?.isHere(table.arrival(of: $0)) ?? true }
      .map { (slot: $0, priority: priority(of: $0), arrival: table.arrival(of: $0)) }
      .sorted { ($1.priority, $0.arrival) < ($0.priority, $1.arrival) }
      .map(\.slot)
    let shown = min(most, slots.count)
    let chosen = (0..<shown).map { slots[$0 * slots.count / shown] }
    let loan = table.lend(chosen)
    return try chosen.map { slot in try loan.map { table.image(of: slot, on: $0) } ?? imageInStore(of: slot) }
  }

  /// The items, in no particular order.
  public var items: some RandomAccessCollection<MemoryItem> { (0..<count).lazy.map { item(in: $0) } }

  func item(in slot: Int) -> MemoryItem {
    let id = table.arrival(of: slot)
    return MemoryItem(
      id: id, label: Int(table.label(of: slot)), loss: table.loss(of: slot), priority: priority(of: slot),
      draws: Int(table.draws(of: slot)), bytes: table.imageBytes(of: slot), subject: subjects[id],
      note: table.note(of: slot))
  }
}
