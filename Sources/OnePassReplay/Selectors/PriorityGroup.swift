/// The priorities of one binary exponent. Group 0 has the largest, and the last group has zeros and subnormals.
///
/// A priority is significand · 2^(exponent − 23), with an integer significand in 2²³ ..< 2²⁴ whose highest bit is implied. The sum
/// of significands of a group fits into 64 bits for up to 2⁴⁰ items.
struct PriorityGroup: Equatable, Sendable {
  let index: Int

  static let largestExponent = 127
  /// The number of exponents, 127 … −126, and one group for smaller values.
  static let count = 255
  static let last = PriorityGroup(index: count - 1)
  static var all: some Sequence<PriorityGroup> { (0..<count).lazy.map { PriorityGroup(index: $0) } }

  init(index: Int) { self.index = index }

  init(of priority: Float) {
    let biased = Int(priority.exponentBitPattern)  // 0 for zeros and subnormals, 254 for exponent 127
    index = 254 - biased
  }

  /// Returns the priority with this significand.
  func priority(_ significandBitPattern: UInt32) -> Float {
    Float(
      sign: .plus, exponentBitPattern: UInt(254 - index), significandBitPattern: significandBitPattern)
  }

  /// Returns the integer significand. Zeros and subnormals (below 10⁻³⁸) have weight 0, and are never selected.
  func weight(of significandBitPattern: UInt32) -> UInt64 {
    self == .last ? 0 : UInt64(significandBitPattern) | 1 << 23
  }

  func sum(of weights: UInt64) -> Double {
    Double(sign: .plus, exponent: Self.largestExponent - index - 23, significand: Double(weights))
  }
}
