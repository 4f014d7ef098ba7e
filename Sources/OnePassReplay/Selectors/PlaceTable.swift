/// The slots in the order of a ``PrioritisedSelector``, each with the 23 significand bits of its priority.
///
/// The highest 7 bits have a separate array. They alone decide nearly every proposal, and for a million items they fit into the
/// cache of a core. The other data of a selection is adjacent, for a single cache miss.
struct PlaceTable: Sendable {
  static let bytesPerItem = MemoryLayout<UInt8>.stride + MemoryLayout<Rest>.stride

  private var heads: [UInt8] = []
  private var rests: [Rest] = []

  /// The slot is stored in halves, so that the stride is 6 bytes instead of 8.
  private struct Rest {
    var significand: UInt16
    var lowSlot: UInt16
    var highSlot: UInt16
  }

  var count: Int { heads.count }

  func slot(at place: Int) -> UInt32 {
    UInt32(rests[place].highSlot) << 16 | UInt32(rests[place].lowSlot)
  }

  mutating func setSlot(at place: Int, to slot: UInt32) {
    rests[place].lowSlot = UInt16(truncatingIfNeeded: slot)
    rests[place].highSlot = UInt16(slot >> 16)
  }

  /// The bit pattern of the significand, without its highest bit.
  func significand(at place: Int) -> UInt32 {
    UInt32(heads[place]) << 16 | UInt32(rests[place].significand)
  }

  mutating func setSignificand(at place: Int, to bitPattern: UInt32) {
    heads[place] = UInt8(bitPattern >> 16)
    rests[place].significand = UInt16(truncatingIfNeeded: bitPattern)
  }

  mutating func append(slot: UInt32) {
    heads.appendToTable(0)
    rests.appendToTable(
      Rest(significand: 0, lowSlot: UInt16(truncatingIfNeeded: slot), highSlot: UInt16(slot >> 16)))
  }

  mutating func removeLast() {
    heads.removeLast()
    rests.removeLast()
  }

  mutating func swapAt(_ a: Int, _ b: Int) {
    heads.swapAt(a, b)
    rests.swapAt(a, b)
  }

  /// Whether the priority at a place exceeds a fraction of its group's upper bound, 2^(exponent + 1).
  /// - Parameter share: The fraction, 0 ..< 1.
  func exceeds(_ place: Int, _ share: Double) -> Bool {
    // Exact: shares are multiples of 2^-53, and a significand has 24 bits.
    let scaled = share * 0x1p8
    let head = Double(UInt32(heads[place]) | 1 << 7)
    if scaled < head { return true }
    if scaled >= head + 1 { return false }
    return share * 0x1p24 < Double(significand(at: place) | 1 << 23)
  }
}
