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
  /// What the memory holds now, with the images, in the order of the slots.
  package var images: some Sequence<(MemoryItem, EncodedImage)> { zip(items, held.lazy.map(\.image)) }

  /// What the memory holds now, in no particular order.
  public var items: some RandomAccessCollection<MemoryItem> {
    held.lazy.map {
      MemoryItem(
        id: $0.arrival, label: Int($0.label), loss: $0.loss, priority: $0.priority, draws: Int($0.draws),
        bytes: $0.image.bytes.count)
    }
  }
}
