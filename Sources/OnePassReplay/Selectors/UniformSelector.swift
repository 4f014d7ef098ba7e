import OnePassCore

/// Selects every item with the same probability.
///
/// ```swift
/// var selector = UniformSelector()
/// selector.append(ItemFacts(priority: 1, label: 0, arrival: 0, draws: 0))
/// ```
///
/// - Complexity: O(1) for every operation. The only storage is a counter.
public struct UniformSelector: ItemSelector {
  public static let bytesPerItem = 0
  public static let dependsOnDraws = false
  public private(set) var count = 0

  /// Creates an empty selector.
  public init() {}

  public mutating func append(_ item: ItemFacts) { count += 1 }

  public mutating func update(_ slot: Int, to item: ItemFacts) {}

  public mutating func remove(_ slot: Int) {
    precondition(slot >= 0 && slot < count, "The slot must be in 0 ..< count.")
    count -= 1
  }

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    Selection(slot: generator.next(below: count), probability: 1 / Double(count))
  }

  public func checkInvariants() { precondition(count >= 0) }
}
