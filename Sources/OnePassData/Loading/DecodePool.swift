import Foundation
import OnePassCore

/// Threads that decode and augment images ahead of the model, in stream order.
///
/// The result is bit-identical for any number of threads. Batches can be awaited in any order.
///
/// ```swift
/// let pool = DecodePool(pipeline: pipeline, threads: 2)
/// let pending = pool.submit(examples, views: examples.map { .augmented(seed: 1, id: $0.id, visit: 0) })
/// let batch = try pending.wait()
/// pool.shutdown()
/// ```
///
/// Threads are used instead of tasks because decoding blocks a thread for milliseconds, which would starve a cooperative
/// executor, and because each thread reuses the memory of its decoder.
public final class DecodePool: Sendable {
  /// The steps applied to each image.
  public let pipeline: ImagePipeline
  /// The number of decoding threads.
  public let threads: Int
  let queue: DecodeQueue
  private let memory: BatchMemoryPool

  /// Starts the threads.
  /// - Parameters:
  ///   - pipeline: The steps applied to each image.
  ///   - threads: The number of decoding threads, at least 1.
  ///   - queueCapacity: The maximum number of images submitted but not decoded, at least 1. When it is reached,
  ///     ``submit(_:views:isStoredFirst:)`` waits.
  ///   - limits: The largest image that is decoded.
  ///   - pixelType: The element type of the batches.
  ///   - augmentation: The augmentation of augmented views beyond crop and flip.
  ///   - storedFormat: The format of the replay memory, for images submitted with `isStoredFirst`.
  ///   - allocate: Allocates memory of the given number of bytes. Called on the threads that submit.
  /// - Precondition: `threads >= 1`, `queueCapacity >= 1`.
  public init(
    pipeline: ImagePipeline, threads: Int, queueCapacity: Int = 1024, limits: ImageLimits = ImageLimits(),
    pixelType: PixelType = .float32, augmentation: Augmentation = .standard,
    storedFormat: StoredFormat = StoredFormat(.original),
    allocate: @escaping @Sendable (Int) -> BatchBlock = BatchBlock.pageable
  ) {
    precondition(
      threads >= 1 && queueCapacity >= 1, "A decode pool needs at least one thread and room for one image.")
    self.pipeline = pipeline
    self.threads = threads
    memory = BatchMemoryPool(limit: 8, allocate: allocate)
    let queue = DecodeQueue(
      pipeline: pipeline, augmentation: augmentation, storedFormat: storedFormat, pixelType: pixelType,
      limits: limits,
      capacity: queueCapacity, threads: threads)
    self.queue = queue
    for index in 0..<threads {
      // The threads retain the queue but not the pool, so that releasing the pool ends them.
      let thread = Thread { queue.work() }
      thread.name = "onepass-decode-\(index)"
      thread.start()
    }
  }

  deinit { queue.stop() }

  /// Submits a batch for decoding. Waits only if the queue is full.
  ///
  /// A batch larger than the queue's capacity is accepted when the queue is empty. Decoded batches do not count, so the
  /// caller must limit their number.
  /// - Parameters:
  ///   - examples: The encoded images.
  ///   - views: The view of each image.
  ///   - isStoredFirst: Whether to convert the images to the format of the replay memory before decoding. The examples of
  ///     the batch are not converted.
  /// - Precondition: One view for each example.
  public func submit(
    _ examples: [Example], views: [ImagePipeline.View], isStoredFirst: Bool = false
  ) -> PendingBatch {
    precondition(examples.count == views.count, "The number of views must equal the number of examples.")
    let bytes = examples.count * pipeline.elementsPerImage * queue.pixelType.size
    let encoded = examples.reduce(0) { $0 + ($1.image.hasOwnBytes ? $1.image.byteCount : 0) }
    let job = DecodeJob(
      examples: examples, views: views, memory: memory.take(count: bytes, encoded: encoded),
      isStoredFirst: isStoredFirst)
    queue.add(job)
    return PendingBatch(job: job, queue: queue)
  }

  /// The number of images submitted but not decoded, at most the queue's capacity or the size of one larger batch.
  public var load: Int { queue.load }

  /// The peaks of the encoded and of the decoded bytes of batches in flight.
  package var peakBytes: BatchBytes { memory.peak }

  /// Includes the peaks of the part of a run before a resumption.
  package func include(peak: BatchBytes) {
    memory.peak = BatchBytes(
      encoded: max(memory.peak.encoded, peak.encoded), decoded: max(memory.peak.decoded, peak.decoded))
  }

  /// Runs `body`, whose batches do not count for ``peakBytes``.
  package func uncounted<Result>(_ body: () throws -> Result) rethrows -> Result {
    memory.measuresPeak = false
    defer { memory.measuresPeak = true }
    return try body()
  }

  /// Ends the threads and waits for them. Batches that are not decoded fail. Idempotent.
  public func shutdown() { queue.stop() }
}

/// A batch that a ``DecodePool`` is decoding.
///
/// ```swift
/// let pending = pool.submit(examples, views: views)
/// let batch = try pending.wait()
/// ```
public struct PendingBatch: Sendable {
  fileprivate let job: DecodeJob
  fileprivate let queue: DecodeQueue

  /// Waits until all images are decoded. Returns the same object on every call.
  ///
  /// A broken image is not an error; it is listed in ``ImageBatch/skipped``.
  /// - Throws: `OnePassError` (`engine`) if the pool was shut down first.
  public func wait() throws -> ImageBatch { try queue.wait(for: job) }
}
