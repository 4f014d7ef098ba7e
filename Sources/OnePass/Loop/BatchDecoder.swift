import OnePassCore
import OnePassData

/// Decodes mini-batches, and measures the time for which the device is idle because of it.
final class BatchDecoder {
  let pool: DecodePool
  private let isIdle: () throws -> Bool
  /// Device idle time (seconds) because images were not decoded yet. On a GPU, an upper bound.
  var waitSeconds = 0.0
  private let clock = ContinuousClock()

  /// - Parameter isIdle: Returns whether the device has no work queued.
  init(_ pool: DecodePool, isIdle: @escaping () throws -> Bool) {
    self.pool = pool
    self.isIdle = isIdle
  }

  /// Queues a mini-batch for decoding, see ``DecodePool/submit(_:views:isStoredFirst:)``.
  func submit(_ examples: [Example], views: [ImagePipeline.View], isStoredFirst: Bool = false) -> PendingBatch
  {
    pool.submit(examples, views: views, isStoredFirst: isStoredFirst)
  }

  /// Waits until a mini-batch is decoded, and returns it.
  func wait(for pending: PendingBatch) throws -> ImageBatch {
    let start = clock.now
    let batch = try pending.wait()
    // A wait costs nothing while the device is still working.
    if try isIdle() { waitSeconds += (clock.now - start) / .seconds(1) }
    return batch
  }
}
