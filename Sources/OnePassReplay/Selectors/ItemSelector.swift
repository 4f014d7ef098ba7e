import OnePassCore

/// Chooses one item of the replay memory: which to draw, or which to evict. Both use this interface.
///
/// Items live in slots `0 ..< count` without gaps. The memory tells its selectors of every change with the
/// three operations below; removing a slot moves the last slot's item into it.
/// A selector is a value with one owner, the memory, and is not meant to be shared between threads.
public protocol ItemSelector: Sendable {
  /// What records call it, and what tells it from others when a run goes on. By default the type; one that has parameters
  /// names them as well.
  var name: String { get }

  /// The number of items to choose from.
  var count: Int { get }

  /// The bytes of index that this selector keeps for each item.
  static var bytesPerItem: Int { get }

  /// Whether the choice depends on how often items were drawn, so that every draw has to be told.
  static var dependsOnDraws: Bool { get }

  /// Whether it keeps the priorities, so that the memory need not.
  static var keepsPriorities: Bool { get }

  /// The priority of an item, to the last bit. Called only where it keeps the priorities.
  func priority(of slot: Int) -> Float

  /// Adds an item in the slot `count`.
  mutating func append(_ item: ItemFacts)

  /// Says what now holds of the item in `slot`: another item, another priority, one more draw.
  mutating func update(_ slot: Int, to item: ItemFacts)

  /// Removes the item in `slot`; the item of the last slot moves there.
  mutating func remove(_ slot: Int)

  /// Chooses a slot. Choosing changes nothing: the same item can be chosen again.
  /// - Precondition: `count > 0`.
  mutating func select(using generator: inout SeededGenerator) -> Selection

  /// Makes several choices, one after the other, from the same items.
  mutating func select(_ count: Int, using generator: inout SeededGenerator) -> [Selection]

  /// Reads what updates of these slots will need, so that the waits for it overlap. Changes nothing else.
  mutating func readAhead(_ slots: [Int])

  /// The order in which it keeps the slots, as far as a later choice depends on it; empty where none does.
  ///
  /// Two selectors of one kind with the same items and the same arrangement choose alike for ever.
  var arrangement: [UInt32] { get }

  /// Takes back an arrangement, after the same items were appended in the order of their slots.
  /// - Throws: `OnePassError` (`badData`) if it cannot be an arrangement of these items.
  mutating func restore(arrangement: [UInt32]) throws

  /// Stops the program if the selector contradicts itself. For tests.
  func checkInvariants()
}

extension ItemSelector {
  public var name: String { "\(Self.self)" }

  public static var keepsPriorities: Bool { false }

  public func priority(of slot: Int) -> Float {
    preconditionFailure("\(Self.self) says that it keeps no priorities.")
  }

  public mutating func readAhead(_ slots: [Int]) {}

  public func checkInvariants() {}

  public var arrangement: [UInt32] { [] }

  public mutating func restore(arrangement: [UInt32]) throws {
    guard arrangement.isEmpty else {
      throw OnePassError(
        .badData, "The saved memory is damaged: it has an order where its selector \(Self.self) keeps none.")
    }
  }

  public mutating func select(_ count: Int, using generator: inout SeededGenerator) -> [Selection] {
    var selections: [Selection] = []
    selections.reserveCapacity(count)
    for _ in 0..<count { selections.append(select(using: &generator)) }
    return selections
  }
}

/// What a selector may know of an item.
public struct ItemFacts: Hashable, Sendable {
  /// Finite, not negative.
  public var priority: Float
  private var storedLabel: Int32
  /// The class, 0 ..< number of classes.
  public var label: Int {
    get { Int(storedLabel) }
    set { storedLabel = Int32(newValue) }
  }
  /// The item's position in the stream.
  public var arrival: Int
  /// How often it has been drawn.
  public var draws: Int

  /// - Parameters:
  ///   - priority: Finite, not negative.
  ///   - label: The class, 0 ..< number of classes.
  ///   - arrival: The item's position in the stream.
  ///   - draws: How often it has been drawn.
  public init(priority: Float, label: Int, arrival: Int, draws: Int) {
    self.priority = priority
    storedLabel = Int32(label)
    self.arrival = arrival
    self.draws = draws
  }
}

/// A choice and how likely it was.
public struct Selection: Hashable, Sendable {
  public let slot: Int
  /// The probability with which a choice falls on this slot, 0 … 1.
  public let probability: Double

  public init(slot: Int, probability: Double) {
    self.slot = slot
    self.probability = probability
  }
}
