import OnePassCore

/// Selects item i with probability exactly P_i / ΣP, for any priorities of at least 0.
///
/// Items are grouped by the binary exponent of their priority. A selection chooses a group in proportion to its part of ΣP. It
/// then proposes items of the group uniformly, and accepts with probability P_i / 2^(exponent + 1), which is at least one half.
/// The priorities of a group have the same exponent, so their sum is a sum of integers. Unlike a tree of floating-point sums, it
/// does not accumulate rounding errors.
///
/// If every priority is 0, the selection is uniform.
///
/// ```swift
/// var selector = PrioritisedSelector()
/// selector.append(ItemFacts(priority: 0.9, label: 3, arrival: 0, draws: 0))
/// selector.append(ItemFacts(priority: 0.3, label: 5, arrival: 1, draws: 0))
/// var generator = SeededGenerator(seed: 1, .draw, 0, 0)
/// print(selector.select(using: &generator).probability)  // 0.75 or 0.25
/// ```
///
/// - Complexity: A selection takes O(1) expected time, and O(groups) after a change. A change takes time proportional to the
///   difference of the exponents, a few steps in practice. 11 bytes per item: 8 for the order in both directions, 3 for the
///   significand of the priority.
///
/// Source: Matias, Vitter and Ni 2003, two-level rejection.
public struct PrioritisedSelector: ItemSelector {
  public static let bytesPerItem = MemoryLayout<UInt32>.stride + PlaceTable.bytesPerItem
  public static let dependsOnDraws = false
  public static let keepsPriorities = true

  /// The slots, sorted by group, and the significands of their priorities.
  private var places = PlaceTable()
  /// The index of each slot in `places`.
  private var positions: [UInt32] = []
  /// The start of each group in `places`. Group g ends at the start of group g + 1.
  private var starts: [Int]
  /// The sum of the significands of each group's priorities, as integers.
  private var significandSums: [UInt64]
  /// The groups with items of positive priority, and the cumulative sums of their priorities. Cleared by every change.
  private var cumulative: [(group: PriorityGroup, upTo: Double)] = []

  /// The result of prefetching. It is stored so that the compiler does not remove the reads.
  private var readAhead = 0

  /// Creates an empty selector.
  public init() {
    starts = Array(repeating: 0, count: PriorityGroup.count + 1)
    significandSums = Array(repeating: 0, count: PriorityGroup.count)
  }

  public var count: Int { positions.count }

  public func priority(of slot: Int) -> Float {
    let place = Int(positions[slot])
    return group(at: place).priority(places.significand(at: place))
  }

  /// ΣP, the sum of all priorities.
  public var totalPriority: Double {
    PriorityGroup.all.reduce(0) { $0 + $1.sum(of: significandSums[$1.index]) }
  }

  public mutating func append(_ item: ItemFacts) {
    precondition(count < Int(UInt32.max), "A selector has at most 2^32 - 1 items.")
    let place = count
    positions.appendToTable(UInt32(place))
    places.append(slot: UInt32(place))
    starts[PriorityGroup.count] += 1
    put(item.priority, in: move(from: place, in: .last, to: PriorityGroup(of: item.priority)))
  }

  public mutating func update(_ slot: Int, to item: ItemFacts) {
    let place = Int(positions[slot])
    let (old, new) = (group(at: place), PriorityGroup(of: item.priority))
    significandSums[old.index] -= old.weight(of: places.significand(at: place))
    put(item.priority, in: old == new ? place : move(from: place, in: old, to: new))
  }

  public mutating func remove(_ slot: Int) {
    let last = count - 1
    let place = Int(positions[slot])
    let old = group(at: place)
    significandSums[old.index] -= old.weight(of: places.significand(at: place))
    exchange(move(from: place, in: old, to: .last), last)
    places.removeLast()
    starts[PriorityGroup.count] -= 1
    if slot != last {
      positions[slot] = positions[last]
      places.setSlot(at: Int(positions[slot]), to: UInt32(slot))
    }
    positions.removeLast()
    cumulative.removeAll(keepingCapacity: true)
  }

  public mutating func readAhead(_ slots: [Int]) {
    readAhead = 0
    for slot in slots {
      let place = Int(positions[slot])
      readAhead &+= Int(places.significand(at: place))
    }
  }

  // MARK: Choices

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    if cumulative.isEmpty { accumulate() }
    guard let total = cumulative.last?.upTo else {
      return Selection(slot: generator.next(below: count), probability: 1 / Double(count))
    }
    let (place, group) = place(of: total, using: &generator)
    return selection(at: place, in: group, of: total)
  }

  public mutating func select(_ count: Int, using generator: inout SeededGenerator) -> [Selection] {
    if cumulative.isEmpty { accumulate() }
    guard let total = cumulative.last?.upTo else { return (0..<count).map { _ in select(using: &generator) } }
    // First the places, for which a small table suffices. Then the scattered reads together, so that cache misses overlap.
    let chosen = (0..<count).map { _ in place(of: total, using: &generator) }
    return chosen.map { selection(at: $0, in: $1, of: total) }
  }

  private func selection(at place: Int, in group: PriorityGroup, of total: Double) -> Selection {
    Selection(
      slot: Int(places.slot(at: place)),
      probability: Double(group.priority(places.significand(at: place))) / total)
  }

  private func place(of total: Double, using generator: inout SeededGenerator) -> (Int, PriorityGroup) {
    let target = generator.nextUnit() * total
    var index = 0
    while index < cumulative.count - 1, target >= cumulative[index].upTo { index += 1 }
    let group = cumulative[index].group
    let (start, size) = (starts[group.index], starts[group.index + 1] - starts[group.index])
    while true {
      let place = start + generator.next(below: size)
      if places.exceeds(place, generator.nextUnit()) { return (place, group) }
    }
  }

  private mutating func accumulate() {
    var total = 0.0
    for group in PriorityGroup.all where significandSums[group.index] > 0 {
      total += group.sum(of: significandSums[group.index])
      cumulative.append((group, total))
    }
  }

  // MARK: Order

  /// The group of the item at a place.
  private func group(at place: Int) -> PriorityGroup {
    var (first, end) = (0, PriorityGroup.count)
    while end - first > 1 {
      let middle = (first + end) / 2
      if starts[middle] <= place { first = middle } else { end = middle }
    }
    return PriorityGroup(index: first)
  }

  /// Sets the priority of the item at a place, which must be in the group of that priority.
  private mutating func put(_ priority: Float, in place: Int) {
    let group = PriorityGroup(of: priority)
    places.setSignificand(at: place, to: priority.significandBitPattern)
    significandSums[group.index] += group.weight(of: priority.significandBitPattern)
    cumulative.removeAll(keepingCapacity: true)
  }

  /// Moves the item at a place to another group, across each boundary in between, and returns its new place.
  private mutating func move(from place: Int, in old: PriorityGroup, to new: PriorityGroup) -> Int {
    var place = place
    if new.index < old.index {
      for border in stride(from: old.index, to: new.index, by: -1) {
        exchange(place, starts[border])
        place = starts[border]
        starts[border] += 1
      }
    } else if new.index > old.index {
      for border in (old.index + 1)...new.index {
        starts[border] -= 1
        exchange(place, starts[border])
        place = starts[border]
      }
    }
    return place
  }

  private mutating func exchange(_ a: Int, _ b: Int) {
    guard a != b else { return }
    places.swapAt(a, b)
    positions[Int(places.slot(at: a))] = UInt32(a)
    positions[Int(places.slot(at: b))] = UInt32(b)
  }

  public var arrangement: [UInt32] { (0..<count).map { places.slot(at: $0) } }

  public mutating func restore(arrangement: [UInt32]) throws {
    var isSeen = [Bool](repeating: false, count: count)
    let isValid =
      arrangement.count == count
      && PriorityGroup.all.allSatisfy { group in
        arrangement[starts[group.index]..<starts[group.index + 1]].allSatisfy { slot in
          guard slot < count, !isSeen[Int(slot)], self.group(at: Int(positions[Int(slot)])) == group else {
            return false
          }
          isSeen[Int(slot)] = true
          return true
        }
      }
    guard isValid else {
      throw OnePassError.damagedSnapshot(.orderByPriority(items: count))
    }
    let old = places
    for (place, slot) in arrangement.enumerated() {
      places.setSlot(at: place, to: slot)
      places.setSignificand(at: place, to: old.significand(at: Int(positions[Int(slot)])))
    }
    for (place, slot) in arrangement.enumerated() { positions[Int(slot)] = UInt32(place) }
  }

  public func checkInvariants() {
    precondition(places.count == count && starts[PriorityGroup.count] == count)
    precondition(starts[0] == 0)
    for group in PriorityGroup.all {
      let range = starts[group.index]..<starts[group.index + 1]
      for place in range {
        precondition(
          Int(positions[Int(places.slot(at: place))]) == place, "Each slot is at its recorded index.")
        precondition(
          PriorityGroup(of: group.priority(places.significand(at: place))) == group,
          "Each priority is in its group.")
      }
      let sum = range.reduce(0) { $0 + group.weight(of: places.significand(at: $1)) }
      precondition(
        sum == significandSums[group.index], "The sum of a group is exactly the sum of its items.")
    }
  }
}
