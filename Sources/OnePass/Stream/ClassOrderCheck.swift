import Foundation
import OnePassCore
import OnePassData

/// Notices a stream whose examples arrive sorted by class, from the first thousands of labels.
///
/// Of n examples with c_k of each class in random order, A neighbours have the same class, with the mean Σ c_k (c_k − 1) / n
/// and the exact variance of the number of runs (Mood 1940, eq. 4.13). By Cantelli's inequality A lies t or more standard
/// deviations above its mean with a probability of at most 1 / (1 + t²), whatever the classes. It looks twice, after 1,024
/// and 4,096 examples, each time with 1 / 2,000: a stream in random order is called sorted in at most one of 1,000 runs.
/// Where all of 4,096 examples are of one class, no order can be told, and that is said; by chance it happens to a stream of
/// which 99 % are one class in fewer than one of 10^17 runs.
struct ClassOrderCheck {
  /// The false alarms of one look: at most one in so many.
  static let runsForOneFalseAlarm = 2_000.0
  static let looks = [1_024, 4_096]

  private var counts: [Int: Int] = [:]
  private var examples = 0
  private var equalNeighbours = 0
  private var last: Int?

  /// Whether no more labels are needed.
  private(set) var isOver = false

  /// Takes the next label; what should be said of the stream, if anything, as a fact.
  mutating func note(_ label: Int) -> String? {
    guard !isOver else { return nil }
    examples += 1
    counts[label, default: 0] += 1
    if label == last { equalNeighbours += 1 }
    last = label
    guard Self.looks.contains(examples) else { return nil }
    isOver = examples == Self.looks.last
    if counts.count == 1 {
      return isOver ? "the first \(Figures.count(examples)) examples are all of class \(label)" : nil
    }
    let expected = Self.equalNeighbours(counts: Array(counts.values))
    let limit = expected.mean + (expected.variance * (Self.runsForOneFalseAlarm - 1)).squareRoot()
    guard Double(equalNeighbours) >= limit else { return nil }
    isOver = true
    return
      "of its first \(Figures.count(examples)) examples \(Figures.count(equalNeighbours)) have the class of the one "
      + "before, where chance makes it \(Figures.count(Int(expected.mean.rounded())))"
  }

  /// The neighbours of one class among examples in random order.
  static func equalNeighbours(counts: [Int]) -> (mean: Double, variance: Double) {
    let counts = counts.map(Double.init)
    let n = counts.reduce(0, +)
    let squares = counts.reduce(0) { $0 + $1 * $1 }
    let cubes = counts.reduce(0) { $0 + $1 * $1 * $1 }
    let variance =
      (squares * (squares + n * (n + 1)) - 2 * n * cubes - n * n * n) / (n * n * (n - 1))
    return ((squares - n) / n, max(0, variance))
  }
}
