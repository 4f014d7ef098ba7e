import OnePassCore
import OnePassReplay

/// The output of `onepass memory inspect --json`.
///
/// The keys of ``MemorySummary`` are at the same level as the keys below.
///
/// ```swift
/// let figures = MemoryFigures(try StoredMemory(of: "runs/photos"), extremes: 10)
/// print(figures.highest.first?.className ?? "empty", figures.fill ?? 0)
/// ```
public struct MemoryFigures: Encodable {
  /// An item with the name of its class.
  public struct Item: Encodable {
    /// The position in the stream, from 0.
    public let position: Int
    /// The index of the class.
    public let label: Int
    /// The name of the class.
    public let className: String
    /// The stored loss, in nats.
    public let loss: Float
    /// The priority; finite and at least 0.
    public let priority: Float
    /// The number of draws.
    public let draws: Int
    /// The size of the encoded image, in bytes.
    public let bytes: Int
    /// The classes of the stored prediction, most likely first; `nil` without stored predictions.
    public let prediction: [LikelyClass]?

    init(_ item: MemoryItem, _ card: ModelCard) {
      (position, label, className) = (item.id, item.label, card.className(item.label))
      (loss, priority, draws, bytes) = (item.loss, item.priority, item.draws, item.bytes)
      prediction = item.storedPrediction?.likelyClasses(card)
    }
  }

  /// Statistics of the items.
  public let summary: MemorySummary
  /// Whether the run is finished.
  public let isFinished: Bool
  /// The step of the last checkpoint; `nil` for a finished run.
  public let step: Int?
  /// The number of examples taken from the stream.
  public let examplesSeen: Int
  /// The capacity in examples, if it was specified so.
  public let capacityExamples: Int?
  /// The capacity in bytes, if it was specified so.
  public let capacityBytes: Int?
  /// The used fraction of the capacity, 0 … 1.
  public let fill: Double?
  /// Counters of the memory; `nil` if they were not saved.
  public let counters: MemoryCounters?
  /// How evenly the classes share the memory.
  public let balance: ClassBalance
  /// A histogram of the priorities.
  public let priorities: Histogram
  /// A histogram of the stored losses, in nats.
  public let losses: Histogram
  /// The items with the highest priorities, highest first.
  public let highest: [Item]
  /// The items with the lowest priorities, lowest first.
  public let lowest: [Item]

  /// Collects the figures of a stored memory.
  /// - Parameters:
  ///   - memory: The memory.
  ///   - extremes: The number of items in each of ``highest`` and ``lowest``.
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

  /// Encodes the figures and the summary into one object.
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
