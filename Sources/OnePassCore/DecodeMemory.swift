import Foundation

/// The budget for encoded and decoded images on their way from a source to the model: `--decode-memory`.
///
/// It has fixed parts, so that no part waits for another one, and an image that is alone is always admitted:
///
/// | part | share | beyond it |
/// |---|---|---|
/// | encoded images that wait for their step | 4/16 | the image is written to a temporary file |
/// | what a source reads at once: an image file, a Parquet page, an index | 3/16 | the data is refused |
/// | small images, of which each decoder keeps its memory | 1/16 | the decoder counts among the large ones |
/// | large images that are being decoded | 8/16 | it waits, or is refused if it does not fit alone |
///
/// There is one budget for a process, since there is one memory. Results do not depend on it.
///
/// `@unchecked Sendable` because every variable is accessed only between `lock` and `unlock`.
package final class DecodeMemory: @unchecked Sendable {
  /// The budget of this process.
  package static let shared = DecodeMemory(bytes: standard)
  /// The budget without an option.
  package static let standard = standard(ofMachine: MachineMemory.bytes)
  /// The smallest budget, in bytes.
  package static let least = 1_000_000

  /// A thirty-second of a machine's memory, or a quarter of it up to 2 GiB.
  package static func standard(ofMachine bytes: Int) -> Int {
    max(least, bytes / 32, min(2 << 30, bytes / 4))
  }

  /// The bytes in each part.
  private struct Amounts {
    var waiting = 0
    var source = 0
    var small = 0
    var large = 0
    var idle = 0
    var sum: Int { waiting + source + small + large + idle }
  }

  private let condition = NSCondition()
  private var limit: Int
  private var used = Amounts()
  private var highest = 0
  private var written = 0
  private var idleBlocks: [MemoryBlock] = []
  private let cores = ProcessInfo.processInfo.activeProcessorCount

  package init(bytes: Int) { limit = bytes }

  deinit { for block in idleBlocks { block.base.deallocate() } }

  private func locked<Value>(_ body: () throws -> Value) rethrows -> Value {
    condition.lock()
    defer { condition.unlock() }
    return try body()
  }

  // MARK: Amounts

  /// The budget, in bytes.
  package var bytes: Int {
    get { locked { limit } }
    set { locked { limit = newValue } }
  }

  /// The peak of the bytes that were counted at the same time.
  package var peak: Int { locked { highest } }
  /// The bytes that are counted now.
  package var inFlight: Int { locked { used.sum } }
  /// The bytes of waiting images that were written to temporary files so far.
  package var bytesWritten: Int { locked { written } }

  /// The maximum that a source may read at once, in bytes.
  package var sourceShare: Int { locked { limit / 16 * 3 } }
  /// The maximum memory of one image while it is decoded, in bytes.
  package var decodingShare: Int { locked { limit / 2 } }

  private func notePeak() { highest = max(highest, used.sum) }

  // MARK: Waiting images

  /// Counts an encoded image that waits for its step.
  ///
  /// Large images leave most of the share to others.
  /// - Returns: `nil` if there is no room, so that it must be written to a file.
  package func reserveWaiting(_ bytes: Int) -> MemoryReservation? {
    locked {
      let share = limit / 4
      guard used.waiting + bytes <= (bytes > share / 16 ? share / 4 : share) else { return nil }
      used.waiting += bytes
      notePeak()
      return MemoryReservation(self, .waiting, bytes)
    }
  }

  /// Counts an image that was written to a temporary file.
  package func noteWritten(_ bytes: Int) { locked { written += bytes } }

  // MARK: Sources

  /// Counts what a source reads at once, which must be at most ``sourceShare``.
  package func reserveSource(_ bytes: Int) -> MemoryReservation {
    locked {
      used.source += bytes
      notePeak()
      return MemoryReservation(self, .source, bytes)
    }
  }

  fileprivate func release(_ part: MemoryReservation.Part, _ bytes: Int) {
    locked {
      switch part {
      case .waiting: used.waiting -= bytes
      case .source: used.source -= bytes
      }
    }
  }

  // MARK: Decoding

  /// Lets a decoder keep more memory for small images. It asks only when an image is larger than all before it.
  /// - Parameters:
  ///   - more: The further bytes.
  ///   - total: The bytes with those that it keeps.
  /// - Returns: Whether it may; otherwise the image is a large one.
  package func keep(_ more: Int, total: Int) -> Bool {
    locked {
      let share = limit / 16
      guard total <= max(1, share / (2 * cores)), used.small + more <= share else { return false }
      used.small += more
      notePeak()
      return true
    }
  }

  /// Ends the use of memory that a decoder kept.
  package func releaseKept(_ bytes: Int) { locked { used.small -= bytes } }

  /// Calls `body` when there is room to decode a large image of at most ``decodingShare`` bytes.
  /// - Parameter body: Receives memory of an earlier image, if there is some of a similar size. Returns memory to reuse.
  package func decoding<Value>(
    _ bytes: Int, _ body: (MemoryBlock?) throws -> Value, afterwards: () -> MemoryBlock?
  ) rethrows -> Value {
    let (block, reserved) = waitForRoom(bytes)
    defer { finish(reserved, keeping: afterwards()) }
    return try body(block)
  }

  private func waitForRoom(_ bytes: Int) -> (block: MemoryBlock?, reserved: Int) {
    locked {
      // One image at a time is always admitted.
      while used.large > 0, used.large + bytes > limit / 2 { condition.wait() }
      var (block, reserved): (MemoryBlock?, Int) = (nil, bytes)
      // Images of similar sizes use the memory in turns. The estimate of an image is a little above its pixels.
      let similar = bytes - bytes / 16...2 * bytes
      if let index = idleBlocks.lastIndex(where: { similar.contains($0.capacity) }) {
        let found = idleBlocks.remove(at: index)
        used.idle -= found.capacity
        (block, reserved) = (found, max(bytes, found.capacity))
      }
      used.large += reserved
      while used.large + used.idle > limit / 2, !idleBlocks.isEmpty {
        let oldest = idleBlocks.removeFirst()
        used.idle -= oldest.capacity
        oldest.base.deallocate()
      }
      notePeak()
      return (block, reserved)
    }
  }

  private func finish(_ bytes: Int, keeping block: MemoryBlock?) {
    locked {
      used.large -= bytes
      if let block {
        if used.large + used.idle + block.capacity <= limit / 2 {
          idleBlocks.append(block)
          used.idle += block.capacity
        } else {
          block.base.deallocate()
        }
      }
      condition.broadcast()
    }
  }
}

/// Memory that is passed from one decoder to another.
///
/// `@unchecked Sendable` because it has one owner at any time.
package struct MemoryBlock: @unchecked Sendable {
  package let base: UnsafeMutableRawPointer
  package let capacity: Int

  package init(base: UnsafeMutableRawPointer, capacity: Int) { (self.base, self.capacity) = (base, capacity) }
}

/// Counted bytes, until it is released.
@usableFromInline
package final class MemoryReservation: Sendable {
  enum Part { case waiting, source }

  private let memory: DecodeMemory
  private let part: Part
  private let bytes: Int

  init(_ memory: DecodeMemory, _ part: Part, _ bytes: Int) {
    (self.memory, self.part, self.bytes) = (memory, part, bytes)
  }

  deinit { memory.release(part, bytes) }
}
