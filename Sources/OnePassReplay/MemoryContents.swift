import OnePassCore

/// What the memory knows of one item, without its bytes.
public struct MemoryItem: Hashable, Sendable {
  /// The position in the stream.
  public let id: Int
  public let label: Int
  /// The loss with which it came in, or that of its last refresh; the running average, where priorities go by it.
  public let loss: Float
  public let priority: Float
  /// How often it has been drawn; from 131,072 on only its remainder to 65,536, added to that, unless choices depend on it.
  public let draws: Int
  /// Encoded bytes, without index.
  public let bytes: Int
  /// Whom it is about, where the stream says so.
  public let subject: String?
  /// What the model took it for when it was trained last, where the memory keeps predictions.
  public let prediction: StoredPrediction?

  public init(
    id: Int, label: Int, loss: Float, priority: Float, draws: Int, bytes: Int, subject: String? = nil,
    prediction: StoredPrediction? = nil
  ) {
    self.id = id
    self.label = label
    self.loss = loss
    self.priority = priority
    self.draws = draws
    self.bytes = bytes
    self.subject = subject
    self.prediction = prediction
  }
}

extension ReplayMemory {
  /// How much of what it may hold it does hold, 0 … 1.
  package var fill: Double {
    switch capacity {
    case .examples(let capacity): Double(counters.items) / Double(capacity)
    case .bytes(let capacity): Double(counters.bytes) / Double(capacity)
    }
  }

  /// The images that the memory holds now in RAM, in the order of the slots.
  package func images(
    where isWanted: @escaping (MemoryItem) -> Bool = { _ in true }
  ) -> some Sequence<(MemoryItem, EncodedImage)> {
    (0..<count).lazy.compactMap { slot in
      let item = item(in: slot)
      guard isWanted(item), let loan = table.lend([slot]) else { return nil }
      return (item, table.image(of: slot, on: loan))
    }
  }

  /// Images at evenly spaced ranks of priority, the highest first; nothing is counted as drawn.
  ///
  /// Of a memory that several processes share, of those that are here.
  /// - Throws: `OnePassError` if the images lie on disk and one cannot be read.
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

  /// What the memory holds now, in no particular order.
  public var items: some RandomAccessCollection<MemoryItem> { (0..<count).lazy.map { item(in: $0) } }

  func item(in slot: Int) -> MemoryItem {
    let id = table.arrival(of: slot)
    return MemoryItem(
      id: id, label: Int(table.label(of: slot)), loss: table.loss(of: slot), priority: priority(of: slot),
      draws: Int(table.draws(of: slot)), bytes: table.imageBytes(of: slot), subject: subjects[id],
      prediction: table.prediction(of: slot))
  }
}
