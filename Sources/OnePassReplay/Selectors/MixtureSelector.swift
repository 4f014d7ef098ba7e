import OnePassCore

/// Leaves each choice to one of two selectors, by chance.
///
/// ```swift
/// // Of ten items that make room, three are the oldest: the memory is part window, part reservoir.
/// MixtureSelector(UniformSelector(), OrderedSelector<OldestFirst>(), share: 0.3)
/// ```
///
/// ``Selection/probability`` is the one that the selector in charge gives. Weights of 1/probability undo the preference
/// of each, and so that of the mixture.
///
/// - Complexity: that of both together.
public struct MixtureSelector<First: ItemSelector, Second: ItemSelector>: ItemSelector {
  public static var bytesPerItem: Int { First.bytesPerItem + Second.bytesPerItem }
  public static var dependsOnDraws: Bool { First.dependsOnDraws || Second.dependsOnDraws }
  public static var keepsPriorities: Bool { First.keepsPriorities || Second.keepsPriorities }

  private var first: First
  private var second: Second
  /// The probability with which the second is in charge.
  public let share: Double

  /// - Parameters:
  ///   - first: An empty selector.
  ///   - second: Another one.
  ///   - share: The probability with which the second is in charge, 0 … 1.
  public init(_ first: First, _ second: Second, share: Double) {
    precondition((0...1).contains(share), "A share lies between 0 and 1.")
    precondition(first.count == 0 && second.count == 0, "A mixture begins with selectors that are empty.")
    (self.first, self.second, self.share) = (first, second, share)
  }

  public var name: String { "\(first.name)+\(second.name):\(share)" }

  public var count: Int { first.count }

  public func priority(of slot: Int) -> Float {
    First.keepsPriorities ? first.priority(of: slot) : second.priority(of: slot)
  }

  public mutating func append(_ item: ItemFacts) {
    first.append(item)
    second.append(item)
  }

  public mutating func update(_ slot: Int, to item: ItemFacts) {
    first.update(slot, to: item)
    second.update(slot, to: item)
  }

  public mutating func remove(_ slot: Int) {
    first.remove(slot)
    second.remove(slot)
  }

  public mutating func readAhead(_ slots: [Int]) {
    first.readAhead(slots)
    second.readAhead(slots)
  }

  public mutating func select(using generator: inout SeededGenerator) -> Selection {
    generator.nextUnit() < share
      ? second.select(using: &generator) : first.select(using: &generator)
  }

  /// The length of the first one's, that one, and the second one's.
  public var arrangement: [UInt32] {
    let (first, second) = (first.arrangement, second.arrangement)
    return first.isEmpty && second.isEmpty ? [] : [UInt32(first.count)] + first + second
  }

  public mutating func restore(arrangement: [UInt32]) throws {
    guard let length = arrangement.first else {
      try first.restore(arrangement: [])
      try second.restore(arrangement: [])
      return
    }
    guard length < arrangement.count else {
      throw OnePassError(.badData, "The saved memory is damaged: its order is shorter than it says.")
    }
    let border = 1 + Int(length)
    try first.restore(arrangement: Array(arrangement[1..<border]))
    try second.restore(arrangement: Array(arrangement[border...]))
  }

  public func checkInvariants() {
    precondition(first.count == second.count, "Both know the same items.")
    first.checkInvariants()
    second.checkInvariants()
  }
}
