import CXXHash

/// A 128-bit hash of bytes (XXH3) that detects accidental changes. It does not protect against an adversary.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  /// The upper 64 bits.
  package let high: UInt64
  /// The lower 64 bits.
  package let low: UInt64

  /// Computes the hash of `bytes`.
  package init(of bytes: UnsafeRawBufferPointer) { self.init(XXH3_128bits(bytes.baseAddress, bytes.count)) }

  /// Creates a hash from its halves.
  package init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  fileprivate init(_ hash: XXH128_hash_t) { (high, low) = (hash.high64, hash.low64) }

  /// The hash as 32 hexadecimal digits.
  package var description: String {
    [high, low].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

/// A hash that is computed incrementally.
package final class RunningHash {
  private let state: OpaquePointer

  /// Creates the hash of no bytes.
  package init() {
    guard let state = XXH3_createState() else { preconditionFailure("Out of memory.") }
    self.state = state
    XXH3_128bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  /// Appends bytes.
  package func update(_ bytes: UnsafeRawBufferPointer) {
    XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
  }

  /// The hash of all bytes so far.
  package var value: ContentHash { ContentHash(XXH3_128bits_digest(state)) }
}
