import OnePassCore

/// Chooses item i with probability P_i / ΣP, exactly, for any non-negative priorities.
///
/// The items are kept grouped by the binary exponent of their priority. A choice picks a group with the
/// probability of its share of ΣP, then items of the group uniformly until one is accepted with probability
/// P_i / 2^(exponent + 1), which is at least one half (Matias, Vitter and Ni 2003, two-level rejection).
/// The priorities of a group share an exponent, so its sum is a sum of integers: nothing drifts, however
/// long the run, unlike a tree of floating-point sums.
///
/// If every priority is 0 the choice is uniform.
///
/// - Complexity: a choice takes O(1) expected time and O(groups) after a change; a change takes time
///   proportional to the difference of the exponents, a few steps in practice. 12 bytes an item.
public struct PrioritisedSelector: ItemSelector {
  public static let bytesPerItem = MemoryLayout<Float>.stride + 2 * MemoryLayout<UInt32>.stride
  public static let dependsOnDraws = false

  /// The priority of the item in each slot.
  private var priorities: [Float] = []
  /// The slots, sorted by group.
  private var order: [UInt32] = []
  /// Where each slot stands in `order`.
  private var positions: [UInt32] = []
  /// Where each group starts in `order`; group g ends where g + 1 starts.
  private var starts: [Int]
  /// The sum of the significands of each group's priorities, as integers.
  private var significandSums: [UInt64]
  /// The groups that hold items of positive priority, with the running sums of their priorities.
  /// Empty when a change has made it stale.
  private var cumulative: [(group: Int, upTo: Double)] = []

  public init() {
    starts = Array(repeating: 0, count: Group.count + 1)
    significandSums = Array(repeating: 0, count: Group.count)
  }

  public var count: Int { priorities.count }

  /// ΣP.
  public var totalPriority: Double {
    var total = 0.0
    for group in 0..<Group.count where significandSums[group] > 0 {
      total += Group.sum(of: significandSums[group], in: group)
    }
    return total
  }

  public mutating func append(_ item: ItemFacts) {
    precondition(count < Int(UInt32.max), "A selector holds at most 2^32 - 1 items.")
    let slot = UInt32(count)
    priorities.append(item.priority)
    positions.append(slot)
    order.append(slot)
    starts[Group.count] += 1
    move(Int(slot), from: Group.count - 1, to: Group.of(item.priority))
    significandSums[Group.of(item.priority)] += Group.significand(of: item.priority)
    cumulative.removeAll(keepingCapacity: true)
  }

  public mutating func update(_ slot: Int, to item: ItemFacts) {
    let old = priorities[slot]
    guard old != item.priority else { return }
    significandSums[Group.of(old)] -= Group.significand(of: old)
    move(slot, from: Group.of(old), to: Group.of(item.priority))
    priorities[slot] = item.priority
    significandSums[Group.of(item.priority)] += Group.significand(of: item.priority)
    cumulative.removeAll(keepingCapacity: true)
  }

  public mutating func remove(_ slot: Int) {
    let last = count - 1
    significandSums[Group.of(priorities[slot])] -= Group.significand(of: priorities[slot])
    move(slot, from: Group.of(priorities[slot]), to: Group.count - 1)
    swap(slot, withSlotAt: last)
    order.removeLast()
    starts[Group.count] -= 1
    if slot != last {
      priorities[slot] = priorities[last]
      positions[slot] = positions[last]
      order[Int(positions[slot])] = UInt32(slot)
    }
    priorities.removeLast()
    positions.removeLast()
    cumulative.removeAll(keepingCapacity: true)
  }

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    if cumulative.isEmpty { accumulate() }
    guard let total = cumulative.last?.upTo else {
      return Selection(slot: generator.next(below: count), probability: 1 / Double(count))
    }
    let target = generator.nextUnit() * total
    var index = 0
    while index < cumulative.count - 1, target >= cumulative[index].upTo { index += 1 }
    let group = cumulative[index].group
    let bound = Group.upperBound(of: group)
    let (start, size) = (starts[group], starts[group + 1] - starts[group])
    while true {
      let slot = Int(order[start + generator.next(below: size)])
      let priority = Double(priorities[slot])
      if generator.nextUnit() * bound < priority {
        return Selection(slot: slot, probability: priority / total)
      }
    }
  }

  private mutating func accumulate() {
    var total = 0.0
    for group in 0..<Group.count where significandSums[group] > 0 {
      total += Group.sum(of: significandSums[group], in: group)
      cumulative.append((group, total))
    }
  }

  /// Moves a slot between groups by handing it over each border in between.
  private mutating func move(_ slot: Int, from old: Int, to new: Int) {
    if new < old {
      for border in stride(from: old, to: new, by: -1) {
        swap(slot, withSlotAt: starts[border])
        starts[border] += 1
      }
    } else if new > old {
      for border in (old + 1)...new {
        starts[border] -= 1
        swap(slot, withSlotAt: starts[border])
      }
    }
  }

  private mutating func swap(_ slot: Int, withSlotAt place: Int) {
    let other = order[place]
    let from = positions[slot]
    order[Int(from)] = other
    positions[Int(other)] = from
    order[place] = UInt32(slot)
    positions[slot] = UInt32(place)
  }

  public var arrangement: [UInt32] { order }

  public mutating func restore(arrangement: [UInt32]) throws {
    var isSeen = [Bool](repeating: false, count: count)
    let isValid =
      arrangement.count == count
      && (0..<Group.count).allSatisfy { group in
        arrangement[starts[group]..<starts[group + 1]].allSatisfy { slot in
          guard slot < count, !isSeen[Int(slot)], Group.of(priorities[Int(slot)]) == group else {
            return false
          }
          isSeen[Int(slot)] = true
          return true
        }
      }
    guard isValid else {
      throw OnePassError(
        .badData,
        "The saved memory is damaged: its order is not one of its \(count) items by their priorities.")
    }
    order = arrangement
    for (place, slot) in order.enumerated() { positions[Int(slot)] = UInt32(place) }
  }

  public func checkInvariants() {
    precondition(order.count == count && positions.count == count && starts[Group.count] == count)
    precondition(starts[0] == 0)
    for group in 0..<Group.count {
      precondition(starts[group] <= starts[group + 1], "Groups follow each other.")
      var sum: UInt64 = 0
      for place in starts[group]..<starts[group + 1] {
        let slot = Int(order[place])
        precondition(Int(positions[slot]) == place, "A slot stands where it says.")
        precondition(Group.of(priorities[slot]) == group, "A slot stands in the group of its priority.")
        sum += Group.significand(of: priorities[slot])
      }
      precondition(sum == significandSums[group], "A group's sum is the sum of its items, to the last bit.")
    }
  }
}

/// Priorities of one binary exponent. Group 0 holds the largest; the last one holds zeros and subnormals.
///
/// A priority p = significand · 2^(exponent − 23) with an integer significand in 2²³ ..< 2²⁴. A group's sum
/// of significands fits 64 bits for up to 2⁴⁰ items.
private enum Group {
  static let largestExponent = 127
  /// Exponents 127 … −126, and one group for what is below.
  static let count = 255

  static func of(_ priority: Float) -> Int {
    let biased = Int(priority.exponentBitPattern)  // 0 for zeros and subnormals, 254 for exponent 127
    return 254 - biased
  }

  /// Zeros and subnormals (below 10⁻³⁸) count as never to be chosen.
  static func significand(of priority: Float) -> UInt64 {
    priority.exponentBitPattern == 0 ? 0 : UInt64(priority.significandBitPattern) | 1 << 23
  }

  static func sum(of significands: UInt64, in group: Int) -> Double {
    Double(sign: .plus, exponent: largestExponent - group - 23, significand: Double(significands))
  }

  static func upperBound(of group: Int) -> Double {
    Double(sign: .plus, exponent: largestExponent - group + 1, significand: 1)
  }
}
