import OnePassReplay

/// The items of a memory with the highest and with the lowest priorities, without overlap.
///
/// Among items of equal priority, those with more extreme losses come first, and among these the older ones.
///
/// ```swift
/// let memory = try StoredMemory(of: "runs/photos")
/// let extremes = PriorityExtremes(of: memory.items, count: 10)
/// print(extremes.highest.map(\.loss))
/// ```
public struct PriorityExtremes {
  /// The items with the highest priorities, the highest first.
  public let highest: [MemoryItem]
  /// The items with the lowest priorities, the lowest first.
  public let lowest: [MemoryItem]

  /// Selects the items.
  /// - Parameters:
  ///   - items: The items of the memory, in any order.
  ///   - count: The number of items at each end; at most half of all.
  /// - Complexity: O(n log n).
  public init(of items: [MemoryItem], count: Int) {
    let descending = items.sorted { ($1.priority, $1.loss, $0.id) < ($0.priority, $0.loss, $1.id) }
    highest = Array(descending.prefix(min(count, (items.count + 1) / 2)))
    let ascending = descending.dropFirst(highest.count)
      .sorted { ($0.priority, $0.loss, $0.id) < ($1.priority, $1.loss, $1.id) }
    lowest = Array(ascending.prefix(count))
  }

  /// The positions of all selected items.
  var ids: Set<Int> { Set((highest + lowest).map(\.id)) }
}
