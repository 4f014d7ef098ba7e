import Synchronization

/// Memory for the images of a batch, 64-byte aligned, released with its owner.
///
/// ```swift
/// let pool = DecodePool(pipeline: pipeline, threads: 2) { bytes in BatchBlock.pageable(bytes) }
/// ```
public struct BatchBlock: @unchecked Sendable {
  // Sendable because the holder of the block coordinates the threads that write to it.

  /// The start of the memory.
  public let base: UnsafeMutableRawPointer
  /// The object that releases the memory when it is no longer referenced.
  public let owner: AnyObject

  /// Creates a block of memory that an object owns.
  public init(base: UnsafeMutableRawPointer, owner: AnyObject) {
    self.base = base
    self.owner = owner
  }

  /// Allocates ordinary memory of this many bytes.
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

/// The bytes of mini-batches in flight: from their submission to a decode pool until they are trained.
package struct BatchBytes: Codable, Hashable, Sendable {
  /// The encoded images, without those that a replay memory has lent.
  package var encoded = 0
  /// The decoded images.
  package var decoded = 0
}

/// The memory of finished batches, kept for later ones.
///
/// A batch of 128 images of 224 x 224 takes 77 MB. New memory of that size costs a page fault for every 4 KiB, and more
/// if its pages are locked for a device.
final class BatchMemoryPool: Sendable {
  private struct Kept {
    let block: BatchBlock
    let capacity: Int
  }

  private let blocks = Mutex<[Kept]>([])
  private let inFlight = Mutex(InFlight())

  private struct InFlight {
    var now = BatchBytes()
    var peak = BatchBytes()
    /// Whether the peak is measured.
    var isMeasured = true
  }
  /// The maximum number of blocks kept.
  private let limit: Int
  private let allocate: @Sendable (Int) -> BatchBlock

  init(limit: Int, allocate: @escaping @Sendable (Int) -> BatchBlock = BatchBlock.pageable) {
    self.limit = limit
    self.allocate = allocate
  }

  /// The number of unused blocks, 0 … limit.
  var idleBlocks: Int { blocks.withLock { $0.count } }

  /// The peaks of the bytes of batches whose memory was in use at the same time.
  var peak: BatchBytes {
    get { inFlight.withLock { $0.peak } }
    set { inFlight.withLock { $0.peak = newValue } }
  }

  /// Whether batches that are submitted from now on count for the peak.
  var measuresPeak: Bool {
    get { inFlight.withLock { $0.isMeasured } }
    set { inFlight.withLock { $0.isMeasured = newValue } }
  }

  /// Returns at least `count` bytes, 64-byte aligned, with undefined contents.
  /// - Parameter encoded: The bytes of the encoded images of the batch.
  func take(count: Int, encoded: Int = 0) -> BatchMemory {
    let bytes = BatchBytes(encoded: encoded, decoded: count)
    inFlight.withLock { state in
      state.now.encoded += encoded
      state.now.decoded += count
      guard state.isMeasured else { return }
      state.peak.encoded = max(state.peak.encoded, state.now.encoded)
      state.peak.decoded = max(state.peak.decoded, state.now.decoded)
    }
    let kept = blocks.withLock { list -> Kept? in
      // A smaller last batch may use the memory of a full one, but not of one more than twice as large.
      guard let index = list.firstIndex(where: { $0.capacity >= count && $0.capacity / 2 <= count }) else {
        // The size has changed, so the kept blocks would stay unused.
        list = []
        return nil
      }
      return list.remove(at: index)
    }
    return BatchMemory(
      block: kept?.block ?? allocate(count), capacity: kept?.capacity ?? count, bytes: bytes, pool: self)
  }

  fileprivate func giveBack(_ block: BatchBlock, capacity: Int, _ bytes: BatchBytes) {
    inFlight.withLock { state in
      state.now.encoded -= bytes.encoded
      state.now.decoded -= bytes.decoded
    }
    blocks.withLock { list in
      if list.count < limit { list.append(Kept(block: block, capacity: capacity)) }
    }
  }
}

/// The memory of one batch, returned to its pool with the last reference.
///
/// `@unchecked Sendable` because the decode threads write disjoint slots, and a batch is published under the queue's lock
/// after the last of them has finished.
final class BatchMemory: @unchecked Sendable {
  private let block: BatchBlock
  let capacity: Int
  private let bytes: BatchBytes
  private let pool: BatchMemoryPool

  var base: UnsafeMutableRawPointer { block.base }

  fileprivate init(block: BatchBlock, capacity: Int, bytes: BatchBytes, pool: BatchMemoryPool) {
    self.block = block
    self.capacity = capacity
    self.bytes = bytes
    self.pool = pool
  }

  deinit { pool.giveBack(block, capacity: capacity, bytes) }
}
