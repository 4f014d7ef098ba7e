import Foundation
import OnePassCore

/// Threads that decode and augment images ahead of the model, in the order of the stream.
///
/// The result is the same to the bit for any number of threads. Batches may be waited for in any order.
///
/// ```swift
/// let pool = DecodePool(pipeline: pipeline, threads: 2)
/// let pending = pool.submit(examples, views: examples.map { .augmented(seed: 1, id: $0.id, visit: 0) })
/// let batch = try pending.wait()
/// pool.shutdown()
/// ```
///
/// Plain threads and not tasks: a decode holds its thread for milliseconds, which starves a cooperative executor,
/// and each thread keeps a decoder with its memory.
public final class DecodePool: Sendable {
  public let pipeline: ImagePipeline
  /// The number of decoding threads.
  public let threads: Int
  let queue: DecodeQueue
  private let memory: BatchMemoryPool

  /// Starts the threads.
  /// - Parameters:
  ///   - pipeline: what is done to each image.
  ///   - threads: at least 1.
  ///   - queueCapacity: the most images submitted and not yet decoded; beyond it `submit` waits.
  ///   - limits: the largest image that is decoded.
  ///   - pixelType: what the batches hold.
  ///   - augmentation: what augmented views get beyond crop and flip.
  ///   - storedFormat: the form through which images go that are submitted so.
  ///   - allocate: makes the memory of a batch, of this many bytes; called by the threads that submit.
  public init(
    pipeline: ImagePipeline, threads: Int, queueCapacity: Int = 1024, limits: ImageLimits = ImageLimits(),
    pixelType: PixelType = .float32, augmentation: Augmentation = .standard,
    storedFormat: StoredFormat = StoredFormat(.original),
    allocate: @escaping @Sendable (Int) -> BatchBlock = BatchBlock.pageable
  ) {
    precondition(threads >= 1 && queueCapacity >= 1, "A decode pool needs a thread and room for an image.")
    self.pipeline = pipeline
    self.threads = threads
    memory = BatchMemoryPool(limit: 8, allocate: allocate)
    let queue = DecodeQueue(
      pipeline: pipeline, augmentation: augmentation, storedFormat: storedFormat, pixelType: pixelType,
      limits: limits,
      capacity: queueCapacity, threads: threads)
    self.queue = queue
    for index in 0..<threads {
      // The threads hold the queue and not the pool, so that letting go of the pool ends them.
      let thread = Thread { queue.work() }
      thread.name = "onepass-decode-\(index)"
      thread.start()
    }
  }

  deinit { queue.stop() }

  /// Asks for a batch and returns without waiting for it, unless the queue is full.
  ///
  /// A batch larger than the queue's capacity is taken when the queue is empty. Batches that are decoded and not
  /// yet waited for do not count: their number is the caller's to bound.
  /// - Parameters:
  ///   - examples: the images, encoded.
  ///   - views: which view of each is wanted.
  ///   - isStoredFirst: whether the images are first brought into the form in which a memory keeps them. The batch still has the
  ///     examples as they are given here.
  /// - Precondition: one view for each example.
  public func submit(
    _ examples: [Example], views: [ImagePipeline.View], isStoredFirst: Bool = false
  ) -> PendingBatch {
    precondition(examples.count == views.count, "Each example needs one view.")
    let bytes = examples.count * pipeline.elementsPerImage * queue.pixelType.size
    let job = DecodeJob(
      examples: examples, views: views, memory: memory.take(count: bytes), isStoredFirst: isStoredFirst)
    queue.add(job)
    return PendingBatch(job: job, queue: queue)
  }

  /// Images submitted and not yet decoded, 0 … the queue's capacity (or the size of one larger batch).
  public var load: Int { queue.load }

  /// Ends the threads and waits until each has left its work; batches not yet decoded fail. Idempotent.
  public func shutdown() { queue.stop() }
}

/// A batch that the pool is decoding.
public struct PendingBatch: Sendable {
  fileprivate let job: DecodeJob
  fileprivate let queue: DecodeQueue

  /// The batch, once all its images are decoded; the same object each time.
  /// - Throws: `OnePassError` (`engine`) if the pool was shut down first. A broken image is not an error: it is
  ///   listed in ``ImageBatch/skipped``.
  public func wait() throws -> ImageBatch { try queue.wait(for: job) }
}
