import CTorch
import OnePassCore

/// Memory of the host whose pages the system keeps in place, so that a CUDA device reads it by itself while both work on.
///
/// Making it takes milliseconds; use it again.
public final class PinnedMemory: @unchecked Sendable {
  // Sendable because nothing but its end changes it; who writes where is the user's to decide.
  private let handle: OpaquePointer

  public var base: UnsafeMutableRawPointer { ct_pinned_memory(handle) }

  /// `nil` on a machine without a CUDA device, or without that much memory to pin.
  public init?(_ count: Int) {
    var made: OpaquePointer?
    guard (try? check("the pinning of memory", ct_pinned_make(Int64(max(64, count)), &made))) != nil,
      let made
    else { return nil }
    handle = made
  }

  deinit { ct_pinned_free(handle) }
}
