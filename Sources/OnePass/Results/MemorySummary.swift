import OnePassReplay

/// Statistics of a replay memory: class balance, age, replays, priorities.
///
/// ```swift
/// let summary = try MemoryTable(of: RunFiles("runs/photos")).summary(examplesSeen: 50_000)
/// print(summary.age?.median ?? 0, summary.neverDrawn)
/// ```
public struct MemorySummary: Codable, Sendable {
  /// The minimum, the quartiles and the maximum of a list of values.
  public struct Quartiles: Codable, Hashable, Sendable {
    /// The smallest value.
    public let minimum: Double
    /// The first quartile.
    public let lower: Double
    /// The second quartile.
    public let median: Double
    /// The third quartile.
    public let upper: Double
    /// The largest value.
    public let maximum: Double

    /// The values at indices ⌊q·(n − 1)⌋ of the sorted list; `nil` for an empty list.
    init?(_ values: [Double]) {
      let sorted = values.sorted()
      guard let first = sorted.first, let last = sorted.last else { return nil }
      func quantile(_ q: Double) -> Double { sorted[Int(q * Double(sorted.count - 1))] }
      (minimum, lower, median, upper, maximum) = (first, quantile(0.25), quantile(0.5), quantile(0.75), last)
    }
  }

  /// A histogram of the numbers of draws.
  ///
  /// Bin 0 counts items never drawn, and bin b > 0 items drawn 2^(b−1) ..< 2^b times.
  public struct ReplayHistogram: Codable, Hashable, Sendable {
    /// The number of items in each bin.
    public let counts: [Int]

    init(_ draws: [Int]) {
      counts = draws.reduce(into: []) { counts, draws in
        let bin = Int.bitWidth - draws.leadingZeroBitCount
        if counts.count <= bin { counts += Array(repeating: 0, count: bin + 1 - counts.count) }
        counts[bin] += 1
      }
    }

    /// The range of draws of a bin, as `0`, `1`, `2 – 3`, `4 – 7`.
    package static func name(ofBin bin: Int) -> String {
      bin < 2 ? "\(bin)" : "\(Figures.count(1 << (bin - 1))) – \(Figures.count(1 << bin - 1))"
    }
  }

  /// The number of items.
  public let items: Int
  /// The size of the encoded images, in bytes, without the index.
  public let imageBytes: Int
  /// The number of items of each class, by label.
  public let itemsPerClass: [Int: Int]
  /// The age of the items, in examples since their arrival.
  public let age: Quartiles?
  /// The number of items from each of twenty equal parts of the stream, oldest first.
  public let arrivals: [Int]
  /// How often items were drawn.
  public let draws: Quartiles?
  /// How often items were drawn, as a histogram.
  public let replays: ReplayHistogram
  /// The number of items that were never drawn.
  public let neverDrawn: Int
  /// The priorities of the items.
  public let priority: Quartiles?
  /// The stored losses of the items, in nats.
  public let loss: Quartiles?
  /// The number of items whose stored prediction has their label as its most likely class; `nil` without stored predictions.
  public let recognised: Int?

  /// The number of equal parts of the stream in which arrivals are counted.
  static let parts = 20

  /// Computes the statistics of `items`.
  /// - Parameters:
  ///   - items: The items of the memory.
  ///   - examplesSeen: The number of examples taken from the stream.
  public init(_ items: [MemoryItem], examplesSeen: Int) {
    self.items = items.count
    imageBytes = items.reduce(0) { $0 + $1.bytes }
    itemsPerClass = items.reduce(into: [:]) { $0[$1.label, default: 0] += 1 }
    age = Quartiles(items.map { Double(examplesSeen - 1 - $0.id) })
    arrivals = items.reduce(into: Array(repeating: 0, count: Self.parts)) { counts, item in
      counts[min(Self.parts - 1, item.id * Self.parts / max(1, examplesSeen))] += 1
    }
    draws = Quartiles(items.map { Double($0.draws) })
    replays = ReplayHistogram(items.map(\.draws))
    neverDrawn = items.count { $0.draws == 0 }
    priority = Quartiles(items.map { Double($0.priority) })
    loss = Quartiles(items.map { Double($0.loss) })
    recognised = items.recognised
  }
}
