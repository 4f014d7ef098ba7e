/// A random number generator that is a pure function of a seed, a purpose and a position.
///
/// OnePass creates a generator for each random decision instead of advancing a shared one. So results do not depend on the
/// order of threads, and a checkpoint stores no generator state. The algorithm is SplitMix64 (Steele, Lea and Flood 2014),
/// which passes BigCrush from any starting point.
///
/// ```swift
/// var generator = SeededGenerator(seed: 1, .augmentation, example.id, visit)
/// let flip = generator.nextBool()
/// ```
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// The use of the random numbers; different purposes have different sequences.
  public enum Purpose: UInt64, Sendable {
    case streamOrder = 1
    case reservoir = 2
    case draw = 3
    case augmentation = 4
    case initialisation = 5
    case epochOrder = 6
    case test = 7
    case syntheticImage = 8
    case shuffleBuffer = 9
    case mixing = 12
    /// The weights of a class that was found in the stream.
    case newClass = 13
    /// Augmentation operations other than crop and flip.
    case imageOperations = 16
    /// The order and the labels of a shaped stream.
    case streamShape = 17
    /// The sample of a test for drift.
    case driftTest = 18
    /// Reserved for programs that use OnePass.
    case program = 64
  }

  @usableFromInline var state: UInt64

  /// Creates a generator whose sequence depends only on the four arguments.
  /// - Parameters:
  ///   - seed: The seed of the run.
  ///   - purpose: The use of the numbers.
  ///   - position: The position in the stream or of the decision.
  ///   - visit: How often the example at this position was used before, where that matters.
  @inlinable
  public init(seed: UInt64, _ purpose: Purpose, _ position: Int = 0, _ visit: Int = 0) {
    var key = Self.mix(seed &+ Self.increment)
    key = Self.mix(key ^ (purpose.rawValue &* 0xD134_2543_DE82_EF95))
    key = Self.mix(key &+ UInt64(bitPattern: Int64(position)) &* 0xAF25_1AF3_B0F0_25B5)
    key = Self.mix(key &+ UInt64(bitPattern: Int64(visit)) &* 0x9FB2_1C65_1E98_DF25)
    state = key
  }

  /// Returns 64 uniformly random bits.
  @inlinable
  public mutating func next() -> UInt64 {
    state &+= Self.increment
    return Self.mix(state)
  }

  /// Returns an integer drawn uniformly from `0 ..< bound`, without bias (Lemire 2019).
  /// - Precondition: `bound > 0`.
  @inlinable
  public mutating func next(below bound: Int) -> Int {
    precondition(bound > 0, "bound must be above 0.")
    let range = UInt64(bound)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let threshold = (0 &- range) % range
      while product.low < threshold { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// Returns a number drawn uniformly from the multiples of 2⁻⁵³ in `0 ..< 1`.
  @inlinable
  public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Returns `true` with probability 1/2.
  @inlinable
  public mutating func nextBool() -> Bool { next() >> 63 == 1 }

  @usableFromInline static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// SplitMix64's output function, a bijection with full avalanche.
  @inlinable
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Returns a uniformly random permutation of `0 ..< count` (Fisher and Yates), determined by the generator.
/// - Complexity: O(`count`) time and 4 bytes per element.
/// - Precondition: `0 <= count < 2³²`.
public func randomOrder(of count: Int, using generator: inout SeededGenerator) -> [UInt32] {
  precondition(count >= 0 && count <= Int(UInt32.max), "count must be in 0 ..< 2^32.")
  var order = (0..<UInt32(count)).map { $0 }
  guard count > 1 else { return order }
  for last in stride(from: count - 1, to: 0, by: -1) {
    order.swapAt(last, generator.next(below: last + 1))
  }
  return order
}
