/// Memory that one thread uses again for image after image, so that the steady state allocates nothing.
///
/// Not Sendable: its owner lives on one thread.
final class ScratchBuffer<Element: BitwiseCopyable> {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var capacity: Int
  private let zero: Element

  init(zero: Element) {
    self.zero = zero
    capacity = 0
    base = Self.allocate(0)
  }

  deinit { base.deallocate() }

  /// At least `count` elements, zeroed when fresh, whatever the last user left otherwise.
  ///
  /// One huge image does not hold its memory for ever: a buffer over 32 MiB of which less than a quarter is
  /// asked for is made smaller.
  @discardableResult
  func reserve(_ count: Int) -> UnsafeMutablePointer<Element> {
    let isWasteful = capacity * MemoryLayout<Element>.stride > 32 << 20 && count < capacity / 4
    if count > capacity || isWasteful {
      base.deallocate()
      capacity = count
      base = Self.allocate(count)
      base.initialize(repeating: zero, count: count)
    }
    return base
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Element> {
    UnsafeMutableRawPointer.allocate(byteCount: max(64, count * MemoryLayout<Element>.stride), alignment: 64)
      .bindMemory(to: Element.self, capacity: count)
  }
}

/// Decoded pixels: 8 bits, rows without gaps, channels interleaved, `[height, width, channels]`.
///
/// Borrowed from the decoder; valid only inside the closure that received it.
struct PixelRows {
  let base: UnsafePointer<UInt8>
  let width: Int
  let height: Int
  /// 1 or 3.
  let channels: Int

  func row(_ index: Int) -> UnsafePointer<UInt8> { base + index * width * channels }
}
