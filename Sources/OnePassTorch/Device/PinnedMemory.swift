import CTorch
import OnePassCore

/// Page-locked host memory, which a CUDA device can read asynchronously.
///
/// Allocation takes milliseconds, so reuse the memory.
///
/// ```swift
/// let staging = PinnedMemory(1 << 20)?.base
/// ```
public final class PinnedMemory: @unchecked Sendable {
  // Sendable because the handle does not change; callers must coordinate access to the memory.
  private let handle: OpaquePointer

  /// The address of the first byte.
  public var base: UnsafeMutableRawPointer { ct_pinned_memory(handle) }

  /// Allocates `count` bytes; `nil` without a CUDA device or if the memory cannot be page-locked.
  public init?(_ count: Int) {
    var made: OpaquePointer?
    guard (try? check("PinnedMemory.init", ct_pinned_make(Int64(max(64, count)), &made))) != nil,
      let made
    else { return nil }
    handle = made
  }

  deinit { ct_pinned_free(handle) }
}
