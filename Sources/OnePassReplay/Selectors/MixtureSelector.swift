import OnePassCore

/// Selects with one of two selectors, chosen at random for each selection.
///
/// ```swift
/// // Three of ten evictions remove the oldest item: the memory is part sliding window, part reservoir.
/// MixtureSelector(UniformSelector(), OrderedSelector<OldestFirst>(), share: 0.3)
/// ```
///
/// ``Selection/probability`` is that of the chosen selector. Weights of 1/probability correct the bias of each selector, and so
/// that of the mixture.
///
/// - Complexity: The sum of both.
public struct MixtureSelector<First: ItemSelector, Second: ItemSelector>: ItemSelector {
  public static var bytesPerItem: Int { First.bytesPerItem + Second.bytesPerItem }
  public static var dependsOnDraws: Bool { First.dependsOnDraws || Second.dependsOnDraws }
  public static var keepsPriorities: Bool { First.keepsPriorities || Second.keepsPriorities }

  private var first: First
  private var second: Second
  /// The probability of the second selector, 0 … 1.
  public let share: Double

  /// Creates a mixture of two empty selectors.
  /// - Parameters:
  ///   - first: An empty selector.
  ///   - second: Another empty selector.
  ///   - share: The probability of the second selector, 0 … 1.
  public init(_ first: First, _ second: Second, share: Double) {
    precondition((0...1).contains(share), "The share must be in 0 ... 1.")
    precondition(first.count == 0 && second.count == 0, "The selectors of a mixture must be empty.")
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

  /// The length of the first arrangement, and both arrangements.
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
      throw OnePassError.damagedSnapshot(.truncatedOrder)
    }
    let border = 1 + Int(length)
    try first.restore(arrangement: Array(arrangement[1..<border]))
    try second.restore(arrangement: Array(arrangement[border...]))
  }

  public func checkInvariants() {
    precondition(first.count == second.count, "Both selectors have the same items.")
    first.checkInvariants()
    second.checkInvariants()
  }
}
