import OnePassReplay

/// What a replay memory held, in figures: balance of the classes, age, replays, priorities.
public struct MemorySummary: Codable, Sendable {
  /// The smallest value, the quartiles and the largest.
  public struct Quartiles: Codable, Hashable, Sendable {
    public let minimum: Double
    public let lower: Double
    public let median: Double
    public let upper: Double
    public let maximum: Double

    /// Values at the ranks ⌊q·(n − 1)⌋ of the sorted list; `nil` for an empty one.
    init?(_ values: [Double]) {
      let sorted = values.sorted()
      guard let first = sorted.first, let last = sorted.last else { return nil }
      func quantile(_ q: Double) -> Double { sorted[Int(q * Double(sorted.count - 1))] }
      (minimum, lower, median, upper, maximum) = (first, quantile(0.25), quantile(0.5), quantile(0.75), last)
    }
  }

  public let items: Int
  /// Encoded bytes, without index.
  public let imageBytes: Int
  /// Items of each class, by label.
  public let itemsPerClass: [Int: Int]
  /// How many examples passed since an item came in.
  public let age: Quartiles?
  public let draws: Quartiles?
  /// Items that were never drawn.
  public let neverDrawn: Int
  public let priority: Quartiles?
  public let loss: Quartiles?

  /// - Parameters:
  ///   - items: What was held.
  ///   - examplesSeen: The examples that have passed.
  public init(_ items: [MemoryItem], examplesSeen: Int) {
    self.items = items.count
    imageBytes = items.reduce(0) { $0 + $1.bytes }
    itemsPerClass = items.reduce(into: [:]) { $0[$1.label, default: 0] += 1 }
    age = Quartiles(items.map { Double(examplesSeen - 1 - $0.id) })
    draws = Quartiles(items.map { Double($0.draws) })
    neverDrawn = items.count { $0.draws == 0 }
    priority = Quartiles(items.map { Double($0.priority) })
    loss = Quartiles(items.map { Double($0.loss) })
  }
}
