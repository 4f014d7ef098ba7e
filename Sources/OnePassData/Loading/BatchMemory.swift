import Synchronization

/// The memory of finished batches, kept for the next ones.
///
/// A batch of 128 images of 224 x 224 takes 77 MB; fresh memory of that size costs a page fault for every 4 KiB.
final class BatchMemoryPool: Sendable {
  private struct Block: @unchecked Sendable {
    // Because a block in the list has no owner but the list, which is behind the mutex.
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
  }

  private let blocks = Mutex<[Block]>([])
  /// The most blocks kept.
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  deinit {
    blocks.withLock { list in
      for block in list { block.base.deallocate() }
    }
  }

  /// Blocks that wait for their next use, 0 … limit.
  var idleBlocks: Int { blocks.withLock { $0.count } }

  /// Memory for at least `count` floats, 64-byte aligned, with arbitrary numbers in it.
  func take(count: Int) -> BatchMemory {
    let kept = blocks.withLock { list -> Block? in
      // A last, smaller batch may use a full one's memory, but not ten times what it needs.
      guard let index = list.firstIndex(where: { $0.capacity >= count && $0.capacity / 2 <= count }) else {
        // Another size is in use now; what was kept would only lie about.
        for block in list { block.base.deallocate() }
        list = []
        return nil
      }
      return list.remove(at: index)
    }
    return BatchMemory(
      base: kept?.base ?? Self.allocate(count), capacity: kept?.capacity ?? count, pool: self)
  }

  fileprivate func giveBack(_ base: UnsafeMutablePointer<Float>, capacity: Int) {
    let block = Block(base: base, capacity: capacity)
    let isKept = blocks.withLock { list in
      guard list.count < limit else { return false }
      list.append(block)
      return true
    }
    if !isKept { base.deallocate() }
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer.allocate(byteCount: max(64, count * MemoryLayout<Float>.stride), alignment: 64)
      .bindMemory(to: Float.self, capacity: count)
  }
}

/// The floats of one batch, given back to their pool when the last owner lets go.
///
/// `@unchecked Sendable` because the decode threads write disjoint slots, and a batch is handed on only after
/// the last of them has finished, under the queue's lock.
final class BatchMemory: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let capacity: Int
  private let pool: BatchMemoryPool

  fileprivate init(base: UnsafeMutablePointer<Float>, capacity: Int, pool: BatchMemoryPool) {
    self.base = base
    self.capacity = capacity
    self.pool = pool
  }

  deinit { pool.giveBack(base, capacity: capacity) }
}
