import OnePassCore

/// A rule that chooses the class from which a ``ClassSelector`` selects an item.
///
/// ```swift
/// let probability = EveryClass.probability(ofItemIn: 0, of: [2, 8])
/// print(probability)  // 0.25
/// ```
public protocol ClassChoice: Sendable {
  /// Chooses a class that has items.
  /// - Parameters:
  ///   - sizes: The number of items of each class. At least one is positive.
  ///   - generator: The source of randomness.
  static func choose(from sizes: [Int], using generator: inout SeededGenerator) -> Int

  /// Returns the probability with which any one item of a class is selected.
  /// - Parameters:
  ///   - label: The class.
  ///   - sizes: The number of items of each class.
  static func probability(ofItemIn label: Int, of sizes: [Int]) -> Double
}

/// Chooses every class that has items with the same probability, and within it every item.
///
/// With this rule, rare classes are replayed as often as frequent ones.
///
/// ```swift
/// var selector = ClassSelector<EveryClass>()
/// selector.append(ItemFacts(priority: 1, label: 3, arrival: 0, draws: 0))
/// ```
public enum EveryClass: ClassChoice {
  public static func choose(from sizes: [Int], using generator: inout SeededGenerator) -> Int {
    var left = generator.next(below: sizes.count { $0 > 0 })
    for (label, size) in sizes.enumerated() where size > 0 {
      if left == 0 { return label }
      left -= 1
    }
    preconditionFailure("One of the classes has items.")
  }

  public static func probability(ofItemIn label: Int, of sizes: [Int]) -> Double {
    1 / Double(sizes.count { $0 > 0 } * sizes[label])
  }
}

/// Chooses the class with the most items, with random ties, and within it every item with the same probability.
///
/// The reservoir still decides which examples are inserted, so a rare class has few items if the reservoir declines most of its
/// examples. ``ClassBalancingReservoir`` decides by class.
///
/// ```swift
/// var selector = ClassSelector<LargestClass>()
/// selector.append(ItemFacts(priority: 1, label: 3, arrival: 0, draws: 0))
/// ```
public enum LargestClass: ClassChoice {
  public static func choose(from sizes: [Int], using generator: inout SeededGenerator) -> Int {
    let largest = sizes.max() ?? 0
    var left = generator.next(below: sizes.count { $0 == largest })
    for (label, size) in sizes.enumerated() where size == largest {
      if left == 0 { return label }
      left -= 1
    }
    preconditionFailure("One of the classes is the largest.")
  }

  public static func probability(ofItemIn label: Int, of sizes: [Int]) -> Double {
    let largest = sizes.max() ?? 0
    return sizes[label] == largest ? 1 / Double(sizes.count { $0 == largest } * largest) : 0
  }
}

/// Selects a class by a rule, and within it every item with the same probability.
///
/// ```swift
/// var selector = ClassSelector<EveryClass>()
/// for label in [0, 0, 0, 1] {
///   selector.append(ItemFacts(priority: 1, label: label, arrival: selector.count, draws: 0))
/// }
/// var generator = SeededGenerator(seed: 1, .draw, 0, 0)
/// print(selector.select(using: &generator).slot)
/// ```
///
/// - Complexity: A selection takes O(classes), a change O(1). 12 bytes per item.
public struct ClassSelector<Choice: ClassChoice>: ItemSelector {
  public static var bytesPerItem: Int { 3 * MemoryLayout<UInt32>.stride }
  public static var dependsOnDraws: Bool { false }

  /// The class of each slot.
  private var labels: [UInt32] = []
  /// The index of each slot within its class.
  private var positions: [UInt32] = []
  /// The slots of each class.
  private var members: [[UInt32]] = []
  /// The number of slots of each class.
  private(set) var sizes: [Int] = []

  /// Creates an empty selector.
  public init() {}

  public var count: Int { labels.count }

  public mutating func append(_ item: ItemFacts) {
    labels.appendToTable(0)
    positions.appendToTable(0)
    join(count - 1, item.label)
  }

  public mutating func update(_ slot: Int, to item: ItemFacts) {
    guard labels[slot] != UInt32(item.label) else { return }
    leave(slot)
    join(slot, item.label)
  }

  public mutating func remove(_ slot: Int) {
    leave(slot)
    let last = count - 1
    if slot != last { members[Int(labels[last])][Int(positions[last])] = UInt32(slot) }
    labels.swapRemove(slot)
    positions.swapRemove(slot)
  }

  /// The number of slots of a class.
  func size(of label: Int) -> Int { label < sizes.count ? sizes[label] : 0 }

  /// Selects a slot of a class, each with the same probability.
  /// - Precondition: The class has items.
  func select(in label: Int, using generator: inout SeededGenerator) -> Selection {
    Selection(
      slot: Int(members[label][generator.next(below: sizes[label])]), probability: 1 / Double(sizes[label]))
  }

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    let label = Choice.choose(from: sizes, using: &generator)
    return Selection(
      slot: Int(members[label][generator.next(below: sizes[label])]),
      probability: Choice.probability(ofItemIn: label, of: sizes))
  }

  private mutating func join(_ slot: Int, _ label: Int) {
    while members.count <= label {
      members.append([])
      sizes.append(0)
    }
    labels[slot] = UInt32(label)
    positions[slot] = UInt32(sizes[label])
    members[label].appendToTable(UInt32(slot))
    sizes[label] += 1
  }

  /// Removes a slot from its class. The last slot of the class takes its index.
  private mutating func leave(_ slot: Int) {
    let (label, position) = (Int(labels[slot]), Int(positions[slot]))
    members[label].swapRemove(position)
    sizes[label] -= 1
    if position < sizes[label] { positions[Int(members[label][position])] = UInt32(position) }
  }

  /// The slots, grouped by class.
  public var arrangement: [UInt32] { members.flatMap(\.self) }

  public mutating func restore(arrangement: [UInt32]) throws {
    var isSeen = [Bool](repeating: false, count: count)
    var start = 0
    let isValid =
      arrangement.count == count
      && sizes.indices.allSatisfy { label in
        defer { start += sizes[label] }
        return arrangement[start..<start + sizes[label]].allSatisfy { slot in
          guard slot < count, !isSeen[Int(slot)], Int(labels[Int(slot)]) == label else { return false }
          isSeen[Int(slot)] = true
          return true
        }
      }
    guard isValid else {
      throw OnePassError.damagedSnapshot(.orderByClass(items: count))
    }
    start = 0
    for label in sizes.indices {
      for position in 0..<sizes[label] {
        let slot = arrangement[start + position]
        members[label][position] = slot
        positions[Int(slot)] = UInt32(position)
      }
      start += sizes[label]
    }
  }

  public func checkInvariants() {
    precondition(positions.count == count && sizes == members.map(\.count))
    precondition(sizes.reduce(0, +) == count, "Every slot is in one class.")
    for slot in labels.indices {
      precondition(
        Int(members[Int(labels[slot])][Int(positions[slot])]) == slot, "Each slot is at its recorded index.")
    }
  }
}
