/// Slots in the order in which they are drawn, each with the 23 bits of its priority.
///
/// The highest 7 bits are kept apart: alone they settle nearly every proposal, and for a million items lie in a core's own
/// cache. What a choice needs beside them lies together, to be waited for once.
struct PlaceTable: Sendable {
  static let bytesPerItem = MemoryLayout<UInt8>.stride + MemoryLayout<Rest>.stride

  private var heads: [UInt8] = []
  private var rests: [Rest] = []

  /// In halves, to take 6 bytes and not 8.
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

  /// Whether the priority at a place is more than a share of its group's upper bound, 2^(exponent + 1).
  /// - Parameter share: 0 ..< 1.
  func exceeds(_ place: Int, _ share: Double) -> Bool {
    // Exact: shares are multiples of 2^-53, and a significand has 24 bits.
    let scaled = share * 0x1p8
    let head = Double(UInt32(heads[place]) | 1 << 7)
    if scaled < head { return true }
    if scaled >= head + 1 { return false }
    return share * 0x1p24 < Double(significand(at: place) | 1 << 23)
  }
}
