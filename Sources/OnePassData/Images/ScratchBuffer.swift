import OnePassCore

/// Memory that one thread reuses for every image, so that the steady state allocates nothing.
///
/// Not Sendable, because its owner belongs to one thread.
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

  /// Returns at least `count` elements: zeroed if newly allocated, otherwise with their previous contents.
  ///
  /// A buffer over 32 MiB shrinks when less than a quarter of it is requested, so that one huge image does not keep
  /// its memory.
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

  /// Gives the memory away, and continues without any.
  func detach() -> MemoryBlock {
    let block = MemoryBlock(base: base, capacity: capacity * MemoryLayout<Element>.stride)
    (base, capacity) = (Self.allocate(0), 0)
    return block
  }

  /// Takes memory that another buffer gave away.
  func adopt(_ block: MemoryBlock) {
    base.deallocate()
    capacity = block.capacity / MemoryLayout<Element>.stride
    base = block.base.bindMemory(to: Element.self, capacity: capacity)
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Element> {
    UnsafeMutableRawPointer.allocate(byteCount: max(64, count * MemoryLayout<Element>.stride), alignment: 64)
      .bindMemory(to: Element.self, capacity: count)
  }
}
