import OnePassReplay

/// The items of a memory with the highest and with the lowest priorities; no item is among both.
///
/// Of items with equal priorities those with the more extreme losses come first, of these the ones that came first.
public struct PriorityExtremes {
  /// The highest first.
  public let highest: [MemoryItem]
  /// The lowest first.
  public let lowest: [MemoryItem]

  /// - Parameters:
  ///   - items: What the memory holds; in any order.
  ///   - count: How many of each; half of the items at most.
  /// - Complexity: O(n log n).
  public init(of items: [MemoryItem], count: Int) {
    let descending = items.sorted { ($1.priority, $1.loss, $0.id) < ($0.priority, $0.loss, $1.id) }
    highest = Array(descending.prefix(min(count, (items.count + 1) / 2)))
    let ascending = descending.dropFirst(highest.count)
      .sorted { ($0.priority, $0.loss, $0.id) < ($1.priority, $1.loss, $1.id) }
    lowest = Array(ascending.prefix(count))
  }

  /// The positions of all of them.
  var ids: Set<Int> { Set((highest + lowest).map(\.id)) }
}
