/// Priorities of one binary exponent. Group 0 holds the largest; the last one holds zeros and subnormals.
///
/// A priority p = significand · 2^(exponent − 23) with an integer significand in 2²³ ..< 2²⁴, of which the highest
/// bit needs no keeping. A group's sum of significands fits 64 bits for up to 2⁴⁰ items.
struct PriorityGroup: Equatable, Sendable {
  let index: Int

  static let largestExponent = 127
  /// Exponents 127 … −126, and one group for what is below.
  static let count = 255
  static let last = PriorityGroup(index: count - 1)
  static var all: some Sequence<PriorityGroup> { (0..<count).lazy.map { PriorityGroup(index: $0) } }

  init(index: Int) { self.index = index }

  init(of priority: Float) {
    let biased = Int(priority.exponentBitPattern)  // 0 for zeros and subnormals, 254 for exponent 127
    index = 254 - biased
  }

  /// The priority with this significand.
  func priority(_ significandBitPattern: UInt32) -> Float {
    Float(
      sign: .plus, exponentBitPattern: UInt(254 - index), significandBitPattern: significandBitPattern)
  }

  /// The integer significand. Zeros and subnormals (below 10⁻³⁸) count as never to be chosen.
  func weight(of significandBitPattern: UInt32) -> UInt64 {
    self == .last ? 0 : UInt64(significandBitPattern) | 1 << 23
  }

  func sum(of weights: UInt64) -> Double {
    Double(sign: .plus, exponent: Self.largestExponent - index - 23, significand: Double(weights))
  }
}

/// The 23 bits of many priorities, as the highest 7 and the rest: the first alone settle nearly every proposal, and for a
/// million items lie in a core's own cache.
struct SignificandTable: Sendable {
  static let bytesPerItem = 3

  private var heads: [UInt8] = []
  private var tails: [UInt16] = []

  var count: Int { heads.count }

  subscript(place: Int) -> UInt32 {
    get { UInt32(heads[place]) << 16 | UInt32(tails[place]) }
    set {
      heads[place] = UInt8(newValue >> 16)
      tails[place] = UInt16(truncatingIfNeeded: newValue)
    }
  }

  mutating func append(_ significandBitPattern: UInt32) {
    heads.appendToTable(UInt8(significandBitPattern >> 16))
    tails.appendToTable(UInt16(truncatingIfNeeded: significandBitPattern))
  }

  mutating func removeLast() {
    heads.removeLast()
    tails.removeLast()
  }

  mutating func swapAt(_ a: Int, _ b: Int) {
    heads.swapAt(a, b)
    tails.swapAt(a, b)
  }

  /// Whether the priority at a place is more than a share of its group's upper bound, 2^(exponent + 1).
  /// - Parameter share: 0 ..< 1.
  func exceeds(_ place: Int, _ share: Double) -> Bool {
    // Exact: shares are multiples of 2^-53, and a significand has 24 bits.
    let scaled = share * 0x1p8
    let head = Double(UInt32(heads[place]) | 1 << 7)
    if scaled < head { return true }
    if scaled >= head + 1 { return false }
    return share * 0x1p24 < Double(self[place] | 1 << 23)
  }
}
