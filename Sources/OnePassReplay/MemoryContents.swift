import OnePassCore

/// What the memory knows of one item, without its bytes.
public struct MemoryItem: Hashable, Sendable {
  /// The position in the stream.
  public let id: Int
  public let label: Int
  /// The loss with which it came in, or that of its last refresh.
  public let loss: Float
  public let priority: Float
  public let draws: Int
  /// Encoded bytes, without index.
  public let bytes: Int

  public init(id: Int, label: Int, loss: Float, priority: Float, draws: Int, bytes: Int) {
    self.id = id
    self.label = label
    self.loss = loss
    self.priority = priority
    self.draws = draws
    self.bytes = bytes
  }
}

extension ReplayMemory {
  /// What the memory holds now, in no particular order.
  public var items: some RandomAccessCollection<MemoryItem> {
    (0..<count).lazy.map { slot in
      MemoryItem(
        id: arrivals[slot], label: storage.label(at: slot), loss: losses[slot],
        priority: priorities[slot], draws: Int(draws[slot]), bytes: storage.image(at: slot).bytes.count)
    }
  }
}
