import Foundation

/// How evenly the classes share a memory.
public struct ClassBalance: Codable, Hashable, Sendable {
  /// The classes of the model.
  public let classes: Int
  /// Those of which there is an item.
  public let held: Int
  /// The entropy of the classes' shares, in bits: log2 of `classes` if all have the same.
  public let entropyBits: Double
  /// So many classes with equal shares would have this entropy (the Hill number of order 1; Jost 2006).
  public let effectiveClasses: Double
  /// Of the items of each class, those without any included; `nil` without classes.
  public let itemsPerClass: MemorySummary.Quartiles?

  /// - Parameters:
  ///   - items: How many there are of each label; none of those that are missing.
  ///   - classes: How many labels there are.
  public init(_ items: [Int: Int], classes: Int) {
    self.classes = classes
    let counts = (0..<classes).map { Double(items[$0] ?? 0) }
    let total = counts.reduce(0, +)
    held = counts.count { $0 > 0 }
    entropyBits = counts.reduce(0) { $0 - ($1 > 0 ? $1 / total * log2($1 / total) : 0) }
    effectiveClasses = total > 0 ? exp2(entropyBits) : 0
    itemsPerClass = MemorySummary.Quartiles(counts)
  }
}
