import Foundation
import OnePassCore

/// KSWIN: compares the last 30 of 100 predictions with 30 drawn from the other 70, by the test of Kolmogorov and Smirnov.
///
/// Of errors, which are 0 or 1, the distance of the two distributions is that of the two rates.
///
/// Source: Raab, Heusinger and Schleif 2020, "Reactive soft prototype computing for concept drift streams". Sizes as in River.
struct KolmogorovSmirnovWindow: DriftDetector {
  /// α of one test, 0 < α < 1. Every prediction is a test.
  let significance: Double
  private let seed: UInt64
  /// The predictions since the start, which number the draws.
  private var count = 0
  /// Whether the last predictions were errors, the oldest first.
  private var window: [Bool] = []
  private var (olderErrors, recentErrors) = (0, 0)
  /// The distance, in 1/30, from which a test is significant.
  private let fewestSteps: Int

  private static let size = 100
  private static let recent = 30
  private static let older = size - recent

  init(significance: Double, seed: UInt64) {
    (self.significance, self.seed) = (significance, seed)
    // Like River, no alarm for a distance of 0.1 or less.
    fewestSteps =
      (4...Self.recent).first { Self.probability(ofSteps: $0) <= significance } ?? Self.recent + 1
  }

  mutating func update(isError: Bool) -> DriftDirection? {
    count += 1
    add(isError)
    guard window.count == Self.size, isPossible else { return nil }
    let change = recentErrors - drawnErrors()
    guard abs(change) >= fewestSteps else { return nil }
    self = KolmogorovSmirnovWindow(significance: significance, seed: seed)
    return change > 0 ? .rose : .fell
  }

  private mutating func add(_ isError: Bool) {
    if window.count == Self.size, window.removeFirst() { olderErrors -= 1 }
    window.append(isError)
    if isError { recentErrors += 1 }
    let passed = window.count - Self.recent - 1
    if passed >= 0, window[passed] { (recentErrors, olderErrors) = (recentErrors - 1, olderErrors + 1) }
  }

  /// Whether some draw would be significant.
  private var isPossible: Bool {
    let fewest = max(0, olderErrors - (Self.older - Self.recent))
    let most = min(Self.recent, olderErrors)
    return max(recentErrors - fewest, most - recentErrors) >= fewestSteps
  }

  /// The errors among 30 of the older predictions, drawn without replacement.
  private func drawnErrors() -> Int {
    var generator = SeededGenerator(seed: seed, .driftTest, count)
    var older = Array(window.prefix(Self.older))
    for place in 0..<Self.recent { older.swapAt(place, place + generator.next(below: Self.older - place)) }
    return older.prefix(Self.recent).count { $0 }
  }

  /// The probability of a distance of at least h/30 between two samples of one continuous distribution:
  /// 2 Σ (−1)^(k+1) C(2n, n − kh) / C(2n, n), k = 1, 2, … (Gnedenko and Korolyuk 1951).
  private static func probability(ofSteps h: Int) -> Double {
    let n = Double(recent)
    func logChoose(_ k: Double) -> Double { lgamma(2 * n + 1) - lgamma(k + 1) - lgamma(2 * n - k + 1) }
    return stride(from: 1, through: recent / h, by: 1).reduce(0) { sum, k in
      let term = 2 * exp(logChoose(n - Double(k * h)) - logChoose(n))
      return sum + (k % 2 == 1 ? term : -term)
    }
  }
}
