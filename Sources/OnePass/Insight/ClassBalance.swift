import Foundation

/// The balance of classes in a memory.
///
/// ```swift
/// let balance = ClassBalance([0: 30, 1: 10], classes: 2)
/// print(balance.effectiveClasses)  // 1.75
/// ```
public struct ClassBalance: Codable, Hashable, Sendable {
  /// The number of classes of the model.
  public let classes: Int
  /// The number of classes with items in the memory.
  public let held: Int
  /// The entropy of the class shares, in bits, 0 … log2 of `classes`.
  public let entropyBits: Double
  /// The number of equally frequent classes with the same entropy (Hill number of order 1; Jost 2006).
  public let effectiveClasses: Double
  /// The quartiles of the number of items per class, empty classes included; `nil` if `classes` is 0.
  public let itemsPerClass: MemorySummary.Quartiles?

  /// Computes the balance.
  /// - Parameters:
  ///   - items: The number of items by label; 0 for missing labels.
  ///   - classes: The number of classes.
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
