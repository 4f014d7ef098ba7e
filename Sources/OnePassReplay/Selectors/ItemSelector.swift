import OnePassCore

/// Selects an item of the replay memory, to draw or to evict it.
///
/// Items are in slots `0 ..< count`, without gaps. The memory reports every change by ``append(_:)``, ``update(_:to:)`` and
/// ``remove(_:)``. A selector is a value with one owner, the memory, and is used on one thread.
///
/// ```swift
/// struct NewestFirst: SelectionOrder {
///   static let dependsOnDraws = false
///   static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool { a.arrival > b.arrival }
/// }
/// let memory = ReplayMemory(
///   capacity: .examples(6_000), drawing: PrioritisedSelector(),
///   evicting: OrderedSelector<NewestFirst>(), seed: 1)
/// ```
public protocol ItemSelector: Sendable {
  /// The name in records. A resumed run must use a selector of the same name.
  ///
  /// By default, the name of the type. A selector with parameters should include them.
  var name: String { get }

  /// The number of items.
  var count: Int { get }

  /// The number of bytes that the selector stores per item.
  static var bytesPerItem: Int { get }

  /// Whether selections depend on the numbers of draws, so that every draw must be reported.
  static var dependsOnDraws: Bool { get }

  /// Whether the selector stores the exact priorities, so that the memory need not. `false` by default.
  static var keepsPriorities: Bool { get }

  /// Whether the selector, as that of evictions, decides which examples a full memory inserts, in place of the reservoir.
  /// `false` by default.
  static var decidesAdmission: Bool { get }

  /// Counts an example that is offered to the memory. Called for each one, before its decision, if ``decidesAdmission``.
  mutating func observe(_ label: Int)

  /// Decides whether a full memory inserts the example that was just observed. Called only if ``decidesAdmission``. If it is
  /// inserted, the next selection is the item that it replaces.
  mutating func admits(_ label: Int, using generator: inout SeededGenerator) -> Bool

  /// Returns the exact priority of an item. Called only if ``keepsPriorities``.
  func priority(of slot: Int) -> Float

  /// Adds an item, in slot `count`.
  mutating func append(_ item: ItemFacts)

  /// Reports a change of the item in `slot`: another item, another priority or another number of draws.
  mutating func update(_ slot: Int, to item: ItemFacts)

  /// Removes the item in `slot`. The item of the last slot moves there.
  mutating func remove(_ slot: Int)

  /// Selects a slot, with replacement.
  /// - Precondition: `count > 0`.
  mutating func select(using generator: inout SeededGenerator) -> Selection

  /// Selects several slots, with replacement.
  mutating func select(_ count: Int, using generator: inout SeededGenerator) -> [Selection]

  /// Prefetches the memory that updates of these slots will read. By default, does nothing.
  mutating func readAhead(_ slots: [Int])

  /// The internal order of the slots, if later selections depend on it; otherwise empty, which is the default.
  ///
  /// Two selectors of the same kind, with the same items and arrangement, make the same selections.
  var arrangement: [UInt32] { get }

  /// Restores an arrangement, after the same items were appended in the order of their slots.
  /// - Throws: `OnePassError` (`badData`) if the arrangement does not match the items.
  mutating func restore(arrangement: [UInt32]) throws

  /// Traps if the state of the selector is inconsistent. For tests.
  func checkInvariants()
}

extension ItemSelector {
  public var name: String { "\(Self.self)" }

  public static var keepsPriorities: Bool { false }

  public static var decidesAdmission: Bool { false }

  public mutating func observe(_ label: Int) {}

  public mutating func admits(_ label: Int, using generator: inout SeededGenerator) -> Bool {
    preconditionFailure("\(Self.self) does not decide which examples are inserted.")
  }

  public func priority(of slot: Int) -> Float {
    preconditionFailure("\(Self.self) does not store priorities.")
  }

  public mutating func readAhead(_ slots: [Int]) {}

  public func checkInvariants() {}

  public var arrangement: [UInt32] { [] }

  public mutating func restore(arrangement: [UInt32]) throws {
    guard arrangement.isEmpty else {
      throw OnePassError.damagedSnapshot(.unexpectedOrder(selector: "\(Self.self)"))
    }
  }

  public mutating func select(_ count: Int, using generator: inout SeededGenerator) -> [Selection] {
    var selections: [Selection] = []
    selections.reserveCapacity(count)
    for _ in 0..<count { selections.append(select(using: &generator)) }
    return selections
  }
}

/// The properties of an item by which selectors select.
///
/// ```swift
/// let facts = ItemFacts(priority: 0.9, label: 3, arrival: 1_024, draws: 0)
/// print(OldestFirst.precedes(facts, ItemFacts(priority: 1, label: 3, arrival: 2_048, draws: 5)))  // true
/// ```
public struct ItemFacts: Hashable, Sendable {
  /// The priority; finite and at least 0.
  public var priority: Float
  private var storedLabel: Int32
  /// The class, 0 ..< number of classes.
  public var label: Int {
    get { Int(storedLabel) }
    set { storedLabel = Int32(newValue) }
  }
  /// The item's position in the stream.
  public var arrival: Int
  /// The number of draws.
  public var draws: Int

  /// Creates the properties of an item.
  /// - Parameters:
  ///   - priority: The priority; finite and at least 0.
  ///   - label: The class, 0 ..< number of classes.
  ///   - arrival: The item's position in the stream.
  ///   - draws: The number of draws.
  public init(priority: Float, label: Int, arrival: Int, draws: Int) {
    self.priority = priority
    storedLabel = Int32(label)
    self.arrival = arrival
    self.draws = draws
  }
}

/// A selected slot, and the probability of its selection.
///
/// ```swift
/// let selection = Selection(slot: 17, probability: 0.002)
/// print(1 / selection.probability)  // 500.0
/// ```
public struct Selection: Hashable, Sendable {
  /// The selected slot.
  public let slot: Int
  /// The probability with which a selection yields this slot, 0 … 1.
  public let probability: Double

  /// Creates a selection.
  public init(slot: Int, probability: Double) {
    self.slot = slot
    self.probability = probability
  }
}
