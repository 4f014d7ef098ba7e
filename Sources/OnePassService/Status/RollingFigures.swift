import Foundation

/// The rate of events over the last seconds.
struct RollingRate {
  private var counts: [(second: Int, count: Int)] = []
  private static let window = 10

  mutating func add(_ count: Int, at time: ContinuousClock.Instant, since start: ContinuousClock.Instant) {
    let second = Int((time - start) / .seconds(1))
    if counts.last?.second == second {
      counts[counts.count - 1].count += count
    } else {
      counts.append((second, count))
    }
    counts.removeAll { $0.second < second - Self.window }
  }

  /// Events per second.
  func value(at time: ContinuousClock.Instant, since start: ContinuousClock.Instant) -> Double {
    let second = Int((time - start) / .seconds(1))
    let sum = counts.filter { $0.second >= second - Self.window }.reduce(0) { $0 + $1.count }
    return Double(sum) / Double(min(Self.window, max(1, second)))
  }
}

/// The accuracy over the last examples.
struct WindowAccuracy {
  private var steps: ArraySlice<(correct: Int, examples: Int)> = []
  private(set) var examples = 0
  private var correct = 0
  private static let window = 1_000

  mutating func add(correct: Int, of examples: Int) {
    steps.append((correct, examples))
    self.correct += correct
    self.examples += examples
    while let first = steps.first, self.examples - first.examples >= Self.window {
      steps.removeFirst()
      self.correct -= first.correct
      self.examples -= first.examples
    }
  }

  var value: Double? { examples == 0 ? nil : Double(correct) / Double(examples) }
}

/// Durations: all in the buckets of a histogram, and the last ones for quantiles.
package struct Durations: Sendable {
  /// The upper ends of the buckets in seconds; a last bucket has no end.
  package static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

  /// The number of durations up to each bound.
  package private(set) var counts = [Int](repeating: 0, count: bounds.count)
  package private(set) var count = 0
  /// In seconds.
  package private(set) var sum = 0.0
  private var last: [Double] = []
  private static let kept = 1_000

  package init() {}

  package mutating func add(_ seconds: Double) {
    for (index, bound) in Self.bounds.enumerated() where seconds <= bound { counts[index] += 1 }
    if last.count < Self.kept { last.append(seconds) } else { last[count % Self.kept] = seconds }
    count += 1
    sum += seconds
  }

  /// A quantile of the last durations in seconds; `nil` before the first.
  package func quantile(_ share: Double) -> Double? {
    guard !last.isEmpty else { return nil }
    let sorted = last.sorted()
    return sorted[min(sorted.count - 1, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
  }
}

/// The course of a service for the charts of its page: at most 500 rows, evenly thinned.
package struct ServiceHistory: Codable, Sendable {
  static let names = [
    "time", "examples", "accuracy", "loss", "replayLoss", "examplesPerSecond", "predictionsPerSecond", "lag",
  ]
  private static let most = 500

  package private(set) var columns = names
  package private(set) var rows: [[Double?]] = []
  private var stride = 1
  private var offered = 0

  private enum CodingKeys: CodingKey { case columns, rows }

  init() {}

  /// Adds a row, unless earlier thinning makes it one of those that are left out.
  mutating func add(_ row: [Double?]) {
    defer { offered += 1 }
    guard offered % stride == 0 else { return }
    rows.append(row)
    guard rows.count > Self.most else { return }
    rows = rows.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    stride *= 2
  }
}
