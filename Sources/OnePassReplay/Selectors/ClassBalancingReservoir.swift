import OnePassCore

/// Class-balancing reservoir sampling (CBRS): decides which examples a full memory inserts, and which item each one replaces.
///
/// A class is full once it has been a largest class of the full memory, and stays full. An example of any other class is
/// inserted and replaces an item of a largest class. An example of a full class is inserted with probability m/n, where m is the
/// number of its items and n the number of its examples so far, and replaces an item of its class. The memory becomes as
/// balanced as the stream allows, and the items of a full class are a uniform sample of its examples.
///
/// ```swift
/// let memory = ReplayMemory(
///   capacity: .examples(6_000), drawing: PrioritisedSelector(), evicting: ClassBalancingReservoir(), seed: 1)
/// ```
///
/// - Complexity: A decision and a selection take O(classes), a change O(1). 12 bytes per item and 9 per class.
///
/// Source: Chrysakis and Moens 2020, "Online Continual Learning from Imbalanced Data", algorithm 1.
public struct ClassBalancingReservoir: ItemSelector {
  public static var bytesPerItem: Int { ClassSelector<LargestClass>.bytesPerItem }
  public static var dependsOnDraws: Bool { false }
  public static var decidesAdmission: Bool { true }

  private var items = ClassSelector<LargestClass>()
  /// The number of examples of each class that were offered.
  private var seen: [Int] = []
  /// Whether each class is full.
  private var isFull: [Bool] = []
  /// The class of the item to evict next; a largest class if `nil`.
  private var nextVictim: Int?

  /// Creates an empty selector.
  public init() {}

  public var name: String { SelectorKind.cbrs.rawValue }
  public var count: Int { items.count }

  public mutating func append(_ item: ItemFacts) {
    know(item.label)
    items.append(item)
  }

  public mutating func update(_ slot: Int, to item: ItemFacts) {
    know(item.label)
    items.update(slot, to: item)
  }

  public mutating func remove(_ slot: Int) { items.remove(slot) }

  public mutating func observe(_ label: Int) {
    know(label)
    seen[label] += 1
    nextVictim = nil
  }

  public mutating func admits(_ label: Int, using generator: inout SeededGenerator) -> Bool {
    let largest = items.sizes.max() ?? 0
    for (other, size) in items.sizes.enumerated() where size == largest { isFull[other] = true }
    let size = items.size(of: label)
    // A class without items was forgotten.
    guard isFull[label], size > 0 else { return true }
    guard generator.nextUnit() * Double(seen[label]) < Double(size) else { return false }
    nextVictim = label
    return true
  }

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    defer { nextVictim = nil }
    return nextVictim.map { items.select(in: $0, using: &generator) } ?? items.select(using: &generator)
  }

  private mutating func know(_ label: Int) {
    while seen.count <= label {
      seen.append(0)
      isFull.append(false)
    }
  }

  // MARK: State

  /// The slots by class, then the number of examples (low and high half) and 1 for a full class, for each class.
  public var arrangement: [UInt32] {
    items.arrangement
      + zip(seen, isFull).flatMap { seen, isFull in
        [UInt32(truncatingIfNeeded: seen), UInt32(truncatingIfNeeded: seen >> 32), isFull ? 1 : 0]
      }
  }

  public mutating func restore(arrangement: [UInt32]) throws {
    let classes = arrangement.dropFirst(count)
    guard arrangement.count >= count, classes.count % 3 == 0, classes.count / 3 >= seen.count else {
      throw OnePassError.damagedSnapshot(.orderByClass(items: count))
    }
    try items.restore(arrangement: Array(arrangement.prefix(count)))
    know(classes.count / 3 - 1)
    for label in seen.indices {
      let facts = classes.dropFirst(3 * label).prefix(3).map { Int($0) }
      seen[label] = facts[0] | facts[1] << 32
      isFull[label] = facts[2] == 1
      guard seen[label] >= items.size(of: label), facts[1] >> 31 == 0, facts[2] <= 1 else {
        throw OnePassError.damagedSnapshot(.orderByClass(items: count))
      }
    }
  }

  public func checkInvariants() {
    items.checkInvariants()
    precondition(seen.count == isFull.count && seen.count >= items.sizes.count)
  }
}
