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

  /// How many items were drawn how often. Bin 0 counts those never drawn, bin b > 0 those drawn 2^(b−1) ..< 2^b times.
  public struct ReplayHistogram: Codable, Hashable, Sendable {
    public let counts: [Int]

    init(_ draws: [Int]) {
      counts = draws.reduce(into: []) { counts, draws in
        let bin = Int.bitWidth - draws.leadingZeroBitCount
        if counts.count <= bin { counts += Array(repeating: 0, count: bin + 1 - counts.count) }
        counts[bin] += 1
      }
    }

    /// The draws that a bin counts: `0`, `1`, `2 – 3`, `4 – 7`, …
    package static func name(ofBin bin: Int) -> String {
      bin < 2 ? "\(bin)" : "\(Figures.count(1 << (bin - 1))) – \(Figures.count(1 << bin - 1))"
    }
  }

  public let items: Int
  /// Encoded bytes, without index.
  public let imageBytes: Int
  /// Items of each class, by label.
  public let itemsPerClass: [Int: Int]
  /// How many examples passed since an item came in.
  public let age: Quartiles?
  /// Items by the part of the stream from which they came: twenty equal parts, the oldest first.
  public let arrivals: [Int]
  public let draws: Quartiles?
  public let replays: ReplayHistogram
  /// Items that were never drawn.
  public let neverDrawn: Int
  public let priority: Quartiles?
  public let loss: Quartiles?
  /// Items that the model took for their own class when their prediction was stored; `nil` where the memory keeps no predictions.
  public let recognised: Int?

  /// The number of equal parts of the stream in which arrivals are counted.
  static let parts = 20

  /// - Parameters:
  ///   - items: What was held.
  ///   - examplesSeen: The examples that have passed.
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
    let predictions = items.compactMap { item in item.prediction.map { (item.label, $0) } }
    recognised = predictions.isEmpty ? nil : predictions.count { $1.classes.first == $0 }
  }
}
