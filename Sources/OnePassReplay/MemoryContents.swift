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
  /// Whom it is about, where the stream says so.
  public let subject: String?

  public init(
    id: Int, label: Int, loss: Float, priority: Float, draws: Int, bytes: Int, subject: String? = nil
  ) {
    self.id = id
    self.label = label
    self.loss = loss
    self.priority = priority
    self.draws = draws
    self.bytes = bytes
    self.subject = subject
  }
}

extension MemoryItem {
  init(_ held: HeldItem, subject: String?) {
    self.init(
      id: held.arrival, label: Int(held.label), loss: held.loss, priority: held.priority,
      draws: Int(held.draws),
      bytes: held.image.byteCount, subject: subject)
  }
}

extension ReplayMemory {
  /// What the memory holds now, with the images that are not on disk, in the order of the slots.
  package var images: some Sequence<(MemoryItem, EncodedImage)> {
    zip(items, held).lazy.compactMap { item, held in
      if case .here(let image) = held.image { (item, image) } else { nil }
    }
  }

  /// What the memory holds now, in no particular order.
  public var items: some RandomAccessCollection<MemoryItem> {
    held.lazy.map { [subjects] in MemoryItem($0, subject: subjects[$0.arrival]) }
  }
}
