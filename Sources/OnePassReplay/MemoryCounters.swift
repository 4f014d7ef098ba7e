/// What has happened to a replay memory since it was made, counted as it happened.
public struct MemoryCounters: Hashable, Sendable, Codable {
  /// Examples offered: n.
  public var examplesSeen = 0
  public var insertions = 0
  public var evictions = 0
  /// Items that were removed because they had to be forgotten.
  public var forgotten = 0
  /// Examples that would have been taken in, had they not alone exceeded the whole budget.
  public var oversized = 0
  /// Items drawn, with repetitions.
  public var draws = 0
  /// Different stream examples that were drawn at least once.
  public var distinctDrawn = 0
  /// Items held now.
  public var items = 0
  /// Bytes held now, the index included.
  public var bytes = 0
  /// The most items held at any instant.
  public var peakItems = 0
  /// The most bytes held at any instant, the index included.
  public var peakBytes = 0

  public init() {}

  public init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: CodingKeys.self)
    examplesSeen = try record.decode(Int.self, forKey: .examplesSeen)
    insertions = try record.decode(Int.self, forKey: .insertions)
    evictions = try record.decode(Int.self, forKey: .evictions)
    // Records of version 0.1.0 do not know of it.
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
