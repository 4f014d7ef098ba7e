import Foundation
import OnePassCore
import OnePassData

/// Detects a stream that arrives sorted by class, from its first 4,096 labels.
///
/// The statistic is A, the number of neighbours of the same class. In a random order of n examples with c_k of class k, its
/// mean is Σ c_k (c_k − 1) / n, and its variance is that of the number of runs (Mood 1940, eq. 4.13). By Cantelli's inequality,
/// A is t or more standard deviations above its mean with a probability of at most 1 / (1 + t²).
///
/// It is tested after 1,024 and 4,096 examples at the level 1 / 2,000, so at most one in 1,000 random streams is called sorted.
/// If all 4,096 examples have one class, that is reported instead. A random stream with 99 % of one class has such a start
/// with a probability below 10^−17.
struct ClassOrderCheck {
  /// The inverse of the level of one test.
  static let runsForOneFalseAlarm = 2_000.0
  /// The numbers of examples after which there is a test.
  static let looks = [1_024, 4_096]

  private var counts: [Int: Int] = [:]
  private var examples = 0
  private var equalNeighbours = 0
  private var last: Int?

  /// Whether no more labels are needed.
  private(set) var isOver = false

  /// Counts the next label.
  /// - Returns: The finding, as part of a warning; `nil` while the order may be random.
  mutating func note(_ label: Int) -> String? {
    guard !isOver else { return nil }
    examples += 1
    counts[label, default: 0] += 1
    if label == last { equalNeighbours += 1 }
    last = label
    guard Self.looks.contains(examples) else { return nil }
    isOver = examples == Self.looks.last
    if counts.count == 1 {
      return isOver ? "the first \(Figures.count(examples)) examples all have class \(label)" : nil
    }
    let expected = Self.equalNeighbours(counts: Array(counts.values))
    let limit = expected.mean + (expected.variance * (Self.runsForOneFalseAlarm - 1)).squareRoot()
    guard Double(equalNeighbours) >= limit else { return nil }
    isOver = true
    return
      "\(Figures.count(equalNeighbours)) of its first \(Figures.count(examples)) examples have the class of the previous one, "
      + "and in random order \(Figures.count(Int(expected.mean.rounded()))) would"
  }

  /// The mean and variance of the number of neighbours of the same class in random order.
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
