import OnePassCore

/// An order of items, by which an ``OrderedSelector`` selects the first.
///
/// ```swift
/// struct HighestPriorityFirst: SelectionOrder {
///   static let dependsOnDraws = false
///   static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool {
///     (b.priority, a.arrival) < (a.priority, b.arrival)
///   }
/// }
/// ```
public protocol SelectionOrder: Sendable {
  /// Whether `a` comes before `b`. Must be a strict total order.
  static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool

  /// Whether the order depends on the numbers of draws.
  static var dependsOnDraws: Bool { get }
}

/// Orders items by their arrival, oldest first.
///
/// ```swift
/// let selector = OrderedSelector<OldestFirst>()
/// ```
public enum OldestFirst: SelectionOrder {
  public static let dependsOnDraws = false
  public static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool { a.arrival < b.arrival }
}

/// Orders items by their number of draws, fewest first. Ties are broken by age, oldest first.
///
/// ```swift
/// let selector = OrderedSelector<FewestReplaysFirst>()
/// ```
public enum FewestReplaysFirst: SelectionOrder {
  public static let dependsOnDraws = true
  public static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool {
    (a.draws, a.arrival) < (b.draws, b.arrival)
  }
}

/// Orders items by their number of draws, most first. Ties are broken by age, oldest first.
///
/// ```swift
/// let selector = OrderedSelector<MostReplaysFirst>()
/// ```
public enum MostReplaysFirst: SelectionOrder {
  public static let dependsOnDraws = true
  public static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool {
    (b.draws, a.arrival) < (a.draws, b.arrival)
  }
}

/// Orders items by their priority, lowest first. Ties are broken by age, oldest first.
///
/// ```swift
/// let selector = OrderedSelector<LowestPriorityFirst>()
/// ```
public enum LowestPriorityFirst: SelectionOrder {
  public static let dependsOnDraws = false
  public static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool {
    (a.priority, a.arrival) < (b.priority, b.arrival)
  }
}

/// Selects the first item of an order, deterministically.
///
/// ```swift
/// let memory = ReplayMemory(
///   capacity: .examples(6_000), drawing: PrioritisedSelector(),
///   evicting: OrderedSelector<OldestFirst>(), seed: 1)
/// ```
///
/// The implementation is a binary heap of slots.
/// - Complexity: A selection takes O(1), a change O(log count). 32 bytes per item.
public struct OrderedSelector<Order: SelectionOrder>: ItemSelector {
  public static var bytesPerItem: Int { MemoryLayout<ItemFacts>.stride + 2 * MemoryLayout<UInt32>.stride }

  public static var dependsOnDraws: Bool { Order.dependsOnDraws }
  public static var keepsPriorities: Bool { true }

  private var items: [ItemFacts] = []
  private var heap: [UInt32] = []
  private var positions: [UInt32] = []

  /// Creates an empty selector.
  public init() {}

  public var count: Int { items.count }

  public func priority(of slot: Int) -> Float { items[slot].priority }

  public mutating func append(_ item: ItemFacts) {
    let slot = UInt32(count)
    items.append(item)
    heap.append(slot)
    positions.append(slot)
    siftUp(Int(slot))
  }

  public mutating func update(_ slot: Int, to item: ItemFacts) {
    items[slot] = item
    siftUp(Int(positions[slot]))
    siftDown(Int(positions[slot]))
  }

  public mutating func remove(_ slot: Int) {
    let last = count - 1
    let hole = Int(positions[slot])
    exchange(hole, last)
    heap.removeLast()
    if hole != last {
      let moved = Int(heap[hole])
      siftUp(Int(positions[moved]))
      siftDown(Int(positions[moved]))
    }
    if slot != last {
      items[slot] = items[last]
      positions[slot] = positions[last]
      heap[Int(positions[slot])] = UInt32(slot)
    }
    items.removeLast()
    positions.removeLast()
  }

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    Selection(slot: Int(heap[0]), probability: 1)
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    Order.precedes(items[Int(heap[a])], items[Int(heap[b])])
  }

  private mutating func exchange(_ a: Int, _ b: Int) {
    heap.swapAt(a, b)
    positions[Int(heap[a])] = UInt32(a)
    positions[Int(heap[b])] = UInt32(b)
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0, precedes(child, (child - 1) / 2) {
      exchange(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var first = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, first) {
        first = child
      }
      guard first != parent else { return }
      exchange(parent, first)
      parent = first
    }
  }

  public func checkInvariants() {
    precondition(heap.count == count && positions.count == count)
    for place in heap.indices {
      precondition(Int(positions[Int(heap[place])]) == place, "Each slot is at its recorded index.")
      precondition(place == 0 || !precedes(place, (place - 1) / 2), "No item precedes its parent.")
    }
  }
}
