import OnePassCore
import OnePassData

/// Has mini-batches decoded, and counts the time for which training waits for them.
final class BatchDecoder {
  let pool: DecodePool
  private let isIdle: () throws -> Bool
  /// Seconds in which the device had nothing to do because images were not decoded yet; on a GPU an upper bound.
  var waitSeconds = 0.0
  private let clock = ContinuousClock()

  /// - Parameter isIdle: Whether the device has nothing to do.
  init(_ pool: DecodePool, isIdle: @escaping () throws -> Bool) {
    self.pool = pool
    self.isIdle = isIdle
  }

  /// Asks for a mini-batch, see ``DecodePool/submit(_:views:isStoredFirst:)``.
  func submit(_ examples: [Example], views: [ImagePipeline.View], isStoredFirst: Bool = false) -> PendingBatch
  {
    pool.submit(examples, views: views, isStoredFirst: isStoredFirst)
  }

  /// The mini-batch, once it is decoded.
  func wait(for pending: PendingBatch) throws -> ImageBatch {
    let start = clock.now
    let batch = try pending.wait()
    // Nothing is lost by waiting while the device still works.
    if try isIdle() { waitSeconds += (clock.now - start) / .seconds(1) }
    return batch
  }
}
