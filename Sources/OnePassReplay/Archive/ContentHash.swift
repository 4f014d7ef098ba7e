import CXXHash

/// A 128-bit hash of bytes (XXH3), which tells any accidental change; not one against an adversary.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(of bytes: UnsafeRawBufferPointer) { self.init(XXH3_128bits(bytes.baseAddress, bytes.count)) }

  fileprivate init(_ hash: XXH128_hash_t) { (high, low) = (hash.high64, hash.low64) }

  /// 32 hexadecimal digits.
  package var description: String {
    [high, low].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}

/// The hash of bytes that come one after the other.
package final class RunningHash {
  private let state: OpaquePointer

  package init() {
    guard let state = XXH3_createState() else { preconditionFailure("There is no memory for a hash.") }
    self.state = state
    XXH3_128bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  package func update(_ bytes: UnsafeRawBufferPointer) {
    XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
  }

  /// The hash of all bytes so far.
  package var value: ContentHash { ContentHash(XXH3_128bits_digest(state)) }
}
