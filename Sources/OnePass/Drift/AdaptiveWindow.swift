import Foundation

/// ADWIN: a window that grows while its rate of errors is the same.
///
/// The window is kept in buckets of 1, 2, 4, … predictions, at most 5 of each size, so that n take O(log n) memory. Every 32
/// predictions, the rate before each boundary between buckets is compared with the rate after it. They differ significantly above
/// a distance of √(2 v L / m) + 2 L / (3 m). L is ln(2 ln n / δ), v is the variance of the window, and 1/m is the sum of the
/// reciprocal lengths of both parts.
///
/// Source: Bifet and Gavaldà 2007, "Learning from time-changing data with adaptive windowing", theorem 3.2. The constants, and the
/// lengths in 1/m reduced by 4, are those of River and MOA.
struct AdaptiveWindow: DriftDetector {
  /// δ, the probability of a false alarm of one comparison, 0 < δ < 1.
  let confidence: Double
  /// The errors in the buckets by size, 2⁰, 2¹, …; the oldest first.
  private var buckets: [[Int]] = [[]]
  private var width = 0
  private var errors = 0
  /// Σ (x − rate)², x being 1 for an error and 0 otherwise.
  private var squares = 0.0
  private var ticks = 0

  private static let mostBuckets = 5
  private static let interval = 32
  private static let gracePeriod = 10
  private static let shortest = 5

  init(confidence: Double) { self.confidence = confidence }

  mutating func update(isError: Bool) -> DriftDirection? {
    insert(isError ? 1 : 0)
    ticks += 1
    guard ticks % Self.interval == 0, width > Self.gracePeriod, let change = findChange() else { return nil }
    self = AdaptiveWindow(confidence: confidence)
    return change
  }

  private mutating func insert(_ error: Int) {
    width += 1
    if width > 1 {
      let distance = Double(error) - Double(errors) / Double(width - 1)
      squares += Double(width - 1) * distance * distance / Double(width)
    }
    errors += error
    buckets[0].append(error)
    // Two buckets become one of the next size where there are too many.
    var size = 0
    while buckets[size].count > Self.mostBuckets {
      if size + 1 == buckets.count { buckets.append([]) }
      buckets[size + 1].append(buckets[size][0] + buckets[size][1])
      buckets[size].removeFirst(2)
      size += 1
    }
  }

  /// Compares the rates before and after each boundary, from the oldest.
  private func findChange() -> DriftDirection? {
    var (count, sum) = (0, 0)
    for (size, parts) in buckets.enumerated().reversed() {
      for bucket in parts {
        count += 1 << size
        sum += bucket
        let rest = width - count
        guard rest >= Self.shortest else { return nil }
        guard count >= Self.shortest else { continue }
        let change = Double(errors - sum) / Double(rest) - Double(sum) / Double(count)
        if abs(change) > largestChance(count, rest) { return change > 0 ? .rose : .fell }
      }
    }
    return nil
  }

  private func largestChance(_ before: Int, _ after: Int) -> Double {
    let logarithm = log(2 * log(Double(width)) / confidence)
    let reciprocal = 1 / Double(before - Self.shortest + 1) + 1 / Double(after - Self.shortest + 1)
    let variance = squares / Double(width)
    return (2 * reciprocal * variance * logarithm).squareRoot() + 2 / 3 * logarithm * reciprocal
  }
}
