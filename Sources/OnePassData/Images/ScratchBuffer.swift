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
