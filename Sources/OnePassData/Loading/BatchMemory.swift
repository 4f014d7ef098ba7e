import Synchronization

/// Memory for the images of a batch, 64-byte aligned, which goes when its owner does.
public struct BatchBlock: @unchecked Sendable {
  // Sendable because whoever holds the block decides who writes where.

  public let base: UnsafeMutableRawPointer
  /// Lets go of the memory when it is no longer referenced.
  public let owner: AnyObject

  public init(base: UnsafeMutableRawPointer, owner: AnyObject) {
    self.base = base
    self.owner = owner
  }

  /// Ordinary memory of this many bytes.
  public static func pageable(_ count: Int) -> BatchBlock {
    let memory = PageableMemory(count)
    return BatchBlock(base: memory.base, owner: memory)
  }

  private final class PageableMemory {
    let base: UnsafeMutableRawPointer

    init(_ count: Int) { base = .allocate(byteCount: max(64, count), alignment: 64) }

    deinit { base.deallocate() }
  }
}

/// The memory of finished batches, kept for the next ones.
///
/// A batch of 128 images of 224 x 224 takes 77 MB; fresh memory of that size costs a page fault for every 4 KiB, and more
/// where the system has to lock its pages for a device.
final class BatchMemoryPool: Sendable {
  private struct Kept {
    let block: BatchBlock
    let capacity: Int
  }

  private let blocks = Mutex<[Kept]>([])
  /// The most blocks kept.
  private let limit: Int
  private let allocate: @Sendable (Int) -> BatchBlock

  init(limit: Int, allocate: @escaping @Sendable (Int) -> BatchBlock = BatchBlock.pageable) {
    self.limit = limit
    self.allocate = allocate
  }

  /// Blocks that wait for their next use, 0 … limit.
  var idleBlocks: Int { blocks.withLock { $0.count } }

  /// Memory for at least `count` bytes, 64-byte aligned, with arbitrary numbers in it.
  func take(count: Int) -> BatchMemory {
    let kept = blocks.withLock { list -> Kept? in
      // A last, smaller batch may use a full one's memory, but not ten times what it needs.
      guard let index = list.firstIndex(where: { $0.capacity >= count && $0.capacity / 2 <= count }) else {
        // Another size is in use now; what was kept would only lie about.
        list = []
        return nil
      }
      return list.remove(at: index)
    }
    return BatchMemory(block: kept?.block ?? allocate(count), capacity: kept?.capacity ?? count, pool: self)
  }

  fileprivate func giveBack(_ block: BatchBlock, capacity: Int) {
    blocks.withLock { list in
      if list.count < limit { list.append(Kept(block: block, capacity: capacity)) }
    }
  }
}

/// The numbers of one batch, given back to their pool when the last owner lets go.
///
/// `@unchecked Sendable` because the decode threads write disjoint slots, and a batch is handed on only after
/// the last of them has finished, under the queue's lock.
final class BatchMemory: @unchecked Sendable {
  private let block: BatchBlock
  let capacity: Int
  private let pool: BatchMemoryPool

  var base: UnsafeMutableRawPointer { block.base }

  fileprivate init(block: BatchBlock, capacity: Int, pool: BatchMemoryPool) {
    self.block = block
    self.capacity = capacity
    self.pool = pool
  }

  deinit { pool.giveBack(block, capacity: capacity) }
}
