import OnePassCore

/// Chooses every item with the same probability.
/// - Complexity: O(1) for every operation; no memory beyond a counter.
public struct UniformSelector: ItemSelector {
  public static let bytesPerItem = 0
  public static let dependsOnDraws = false
  public private(set) var count = 0

  public init() {}

  public mutating func append(_ item: ItemFacts) { count += 1 }

  public mutating func update(_ slot: Int, to item: ItemFacts) {}

  public mutating func remove(_ slot: Int) {
    precondition(slot >= 0 && slot < count, "Only an item that is there can be removed.")
    count -= 1
  }

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    Selection(slot: generator.next(below: count), probability: 1 / Double(count))
  }

  public func checkInvariants() { precondition(count >= 0) }
}
