/// How often examples of each class were predicted as each class.
///
/// Only pairs that occurred take memory, so it grows with the number of examples or the square of the number of classes,
/// whichever is smaller.
///
/// ```swift
/// var confusion = ConfusionMatrix(classes: 3)
/// confusion.add(label: 0, predicted: 2)
/// print(confusion[0, 2])  // 1
/// ```
public struct ConfusionMatrix: Hashable, Sendable {
  /// A pair of classes that occurred.
  public struct Entry: Hashable, Sendable, Codable {
    /// The true class.
    public let label: Int
    /// The predicted class.
    public let predicted: Int
    /// The number of examples.
    public let count: Int
  }

  /// The number of classes.
  public let classes: Int
  /// The counts by label · classes + prediction.
  private var counts: [Int: Int] = [:]

  /// Creates a matrix of zeros.
  public init(classes: Int) { self.classes = classes }

  /// Creates a matrix of recorded counts.
  init(classes: Int, _ entries: [Entry]) {
    self.classes = classes
    for entry in entries { counts[entry.label * classes + entry.predicted] = entry.count }
  }

  /// Counts an example.
  /// - Precondition: Both classes are 0 ..< ``classes``.
  public mutating func add(label: Int, predicted: Int) {
    let range = 0..<classes
    precondition(
      range.contains(label) && range.contains(predicted), "A class must be below the number of classes.")
    counts[label * classes + predicted, default: 0] += 1
  }

  /// The number of examples of class `label` that were predicted as class `predicted`.
  public subscript(label: Int, predicted: Int) -> Int { counts[label * classes + predicted] ?? 0 }

  /// The pairs that occurred, in the order of their labels and predictions.
  public var entries: [Entry] {
    counts.sorted { $0.key < $1.key }.map {
      Entry(label: $0.key / classes, predicted: $0.key % classes, count: $0.value)
    }
  }

  /// The pairs of different classes that occurred most often, the most frequent first.
  ///
  /// Equal counts are in the order of their labels and predictions.
  public func mostFrequentErrors(_ count: Int) -> [Entry] {
    let errors = entries.filter { $0.label != $0.predicted }
    return Array(
      errors.sorted { ($1.count, $0.label, $0.predicted) < ($0.count, $1.label, $1.predicted) }.prefix(count))
  }
}
