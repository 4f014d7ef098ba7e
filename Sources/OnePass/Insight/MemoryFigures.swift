import OnePassCore
import OnePassReplay

/// Everything that `onepass memory inspect` tells of a memory, for programs.
///
/// The keys of ``MemorySummary`` stand beside those below.
public struct MemoryFigures: Encodable {
  /// An item by name.
  public struct Item: Encodable {
    /// In the stream, counted from 0.
    public let position: Int
    public let label: Int
    public let className: String
    /// In nats.
    public let loss: Float
    public let priority: Float
    public let draws: Int
    public let bytes: Int
    /// What the model took it for when its prediction was stored, the likeliest first, where the memory keeps predictions.
    public let prediction: [LikelyClass]?

    init(_ item: MemoryItem, _ card: ModelCard) {
      (position, label, className) = (item.id, item.label, card.className(item.label))
      (loss, priority, draws, bytes) = (item.loss, item.priority, item.draws, item.bytes)
      prediction = item.prediction.map { prediction in
        zip(prediction.classes, prediction.probabilities).map {
          LikelyClass(label: $0, className: card.className($0), probability: $1)
        }
      }
    }
  }

  /// One of the four likeliest classes that a stored prediction names.
  public struct LikelyClass: Encodable {
    public let label: Int
    public let className: String
    /// 0 … 1, a multiple of 1/255.
    public let probability: Float
  }

  public let summary: MemorySummary
  public let isFinished: Bool
  /// The step after which the run was saved, where it is not finished.
  public let step: Int?
  public let examplesSeen: Int
  public let capacityExamples: Int?
  public let capacityBytes: Int?
  /// As a share of what the memory may hold, 0 … 1.
  public let fill: Double?
  public let counters: MemoryCounters?
  public let balance: ClassBalance
  public let priorities: Histogram
  public let losses: Histogram
  /// The items with the highest priorities, the highest first.
  public let highest: [Item]
  /// Those with the lowest, the lowest first.
  public let lowest: [Item]

  /// - Parameters:
  ///   - memory: What to tell of.
  ///   - extremes: How many items of each end of the priorities to name.
  public init(_ memory: StoredMemory, extremes: Int) {
    summary = memory.summary
    if case .unfinished(let step, _, _) = memory.stage {
      (isFinished, self.step) = (false, step)
    } else {
      (isFinished, step) = (true, nil)
    }
    examplesSeen = memory.examplesSeen
    (capacityExamples, capacityBytes) = (memory.plan?.capacityExamples, memory.plan?.capacityBytes)
    (fill, counters, balance) = (memory.fill, memory.counters, memory.balance)
    (priorities, losses) = (memory.priorities, memory.losses)
    let ends = PriorityExtremes(of: memory.items, count: extremes)
    highest = ends.highest.map { Item($0, memory.card) }
    lowest = ends.lowest.map { Item($0, memory.card) }
  }

  private enum Key: String, CodingKey {
    case isFinished, step, examplesSeen, capacityExamples, capacityBytes, fill, counters, balance, priorities
    case losses, highest, lowest
  }

  public func encode(to encoder: any Encoder) throws {
    try summary.encode(to: encoder)
    var record = encoder.container(keyedBy: Key.self)
    try record.encode(isFinished, forKey: .isFinished)
    try record.encodeIfPresent(step, forKey: .step)
    try record.encode(examplesSeen, forKey: .examplesSeen)
    try record.encodeIfPresent(capacityExamples, forKey: .capacityExamples)
    try record.encodeIfPresent(capacityBytes, forKey: .capacityBytes)
    try record.encodeIfPresent(fill, forKey: .fill)
    try record.encodeIfPresent(counters, forKey: .counters)
    try record.encode(balance, forKey: .balance)
    try record.encode(priorities, forKey: .priorities)
    try record.encode(losses, forKey: .losses)
    try record.encode(highest, forKey: .highest)
    try record.encode(lowest, forKey: .lowest)
  }
}
