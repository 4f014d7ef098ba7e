/// Counters of a replay memory since its creation.
///
/// ```swift
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1)
/// try memory.offer(example, loss: 2.3, priority: 0.9)
/// print(memory.counters.insertions, memory.counters.peakBytes)
/// ```
public struct MemoryCounters: Hashable, Sendable, Codable {
  /// The number of offered examples, n.
  public var examplesSeen = 0
  /// The number of inserted items.
  public var insertions = 0
  /// The number of items removed to make room.
  public var evictions = 0
  /// The number of items removed by `forget`.
  public var forgotten = 0
  /// The number of examples that were rejected because they exceed the whole capacity.
  public var oversized = 0
  /// The number of drawn items, with repetitions.
  public var draws = 0
  /// The number of distinct items drawn at least once.
  public var distinctDrawn = 0
  /// The present number of items.
  public var items = 0
  /// The present size in bytes, including the index.
  public var bytes = 0
  /// The maximum number of items at any time.
  public var peakItems = 0
  /// The maximum size in bytes at any time, including the index.
  public var peakBytes = 0

  /// Creates counters of a new memory.
  public init() {}

  /// Decodes counters, including those of version 0.1.0.
  public init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: CodingKeys.self)
    examplesSeen = try record.decode(Int.self, forKey: .examplesSeen)
    insertions = try record.decode(Int.self, forKey: .insertions)
    evictions = try record.decode(Int.self, forKey: .evictions)
    // Version 0.1.0 has no such counter.
    forgotten = try record.decodeIfPresent(Int.self, forKey: .forgotten) ?? 0
    oversized = try record.decode(Int.self, forKey: .oversized)
    draws = try record.decode(Int.self, forKey: .draws)
    distinctDrawn = try record.decode(Int.self, forKey: .distinctDrawn)
    items = try record.decode(Int.self, forKey: .items)
    bytes = try record.decode(Int.self, forKey: .bytes)
    peakItems = try record.decode(Int.self, forKey: .peakItems)
    peakBytes = try record.decode(Int.self, forKey: .peakBytes)
  }
}
