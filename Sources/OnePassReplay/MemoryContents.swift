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

extension ReplayMemory {
  /// What the memory holds now, with the images that are not on disk, in the order of the slots.
  package var images: some Sequence<(MemoryItem, EncodedImage)> {
    (0..<count).lazy.compactMap { slot in table.image(of: slot).map { (item(in: slot), $0) } }
  }

  /// What the memory holds now, in no particular order.
  public var items: some RandomAccessCollection<MemoryItem> { (0..<count).lazy.map { item(in: $0) } }

  func item(in slot: Int) -> MemoryItem {
    let id = table.arrival(of: slot)
    return MemoryItem(
      id: id, label: Int(table.label(of: slot)), loss: table.loss(of: slot), priority: priority(of: slot),
      draws: Int(table.draws(of: slot)), bytes: table.imageBytes(of: slot), subject: subjects[id])
  }
}
