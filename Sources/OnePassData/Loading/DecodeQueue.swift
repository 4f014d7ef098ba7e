import Foundation
import OnePassCore

/// One submitted batch on its way through the pool.
///
/// `@unchecked Sendable` because its variables are touched only under the queue's lock, and each slot of its
/// memory only by the thread that has claimed it.
final class DecodeJob: @unchecked Sendable {
  let examples: [Example]
  let views: [ImagePipeline.View]
  let memory: BatchMemory
  /// Whether the images go through the form in which a memory keeps them.
  let isStoredFirst: Bool
  var nextUnclaimed = 0
  var decoded = 0
  /// Why an image is broken, by its place in the batch.
  var failures: [Int: String] = [:]
  var outcome: Result<ImageBatch, OnePassError>?

  init(
    examples: [Example], views: [ImagePipeline.View], memory: BatchMemory, isStoredFirst: Bool = false
  ) {
    self.isStoredFirst = isStoredFirst
    self.examples = examples
    self.views = views
    self.memory = memory
  }
}

/// The state that the pool, its threads and its pending batches share: a bounded queue of jobs.
///
/// `@unchecked Sendable` because every variable is touched only between `lock` and `unlock`.
final class DecodeQueue: @unchecked Sendable {
  let pipeline: ImagePipeline
  let augmentation: Augmentation
  let storedFormat: StoredFormat
  let pixelType: PixelType
  let limits: ImageLimits
  let capacity: Int
  private let threads: Int
  /// One lock and one signal for everything: work has come, room has come, a batch is done, a thread has ended.
  private let condition = NSCondition()
  private var unclaimedJobs: [DecodeJob] = []
  private var imagesInQueue = 0
  private var submittersWaiting = 0
  private var threadsAlive: Int
  private var isStopping = false

  init(
    pipeline: ImagePipeline, augmentation: Augmentation = .standard,
    storedFormat: StoredFormat = StoredFormat(.original), pixelType: PixelType,
    limits: ImageLimits, capacity: Int, threads: Int
  ) {
    self.pipeline = pipeline
    self.augmentation = augmentation
    self.storedFormat = storedFormat
    self.pixelType = pixelType
    self.limits = limits
    self.capacity = capacity
    self.threads = threads
    threadsAlive = threads
  }

  private static var stopped: OnePassError {
    OnePassError(
      .engine, "The decode pool was shut down before this batch was decoded: keep it until the last wait().")
  }

  /// Adds a job, after waiting until there is room for it or nothing else in the queue.
  func add(_ job: DecodeJob) {
    condition.lock()
    defer { condition.unlock() }
    let count = job.examples.count
    submittersWaiting += 1
    while !isStopping, imagesInQueue > 0, imagesInQueue + count > capacity { condition.wait() }
    submittersWaiting -= 1
    if isStopping {
      job.outcome = .failure(Self.stopped)
    } else if count == 0 {
      job.outcome = .success(
        ImageBatch(
          examples: [], failures: [:], pipeline: pipeline, pixelType: pixelType, memory: job.memory))
    } else {
      imagesInQueue += count
      unclaimedJobs.append(job)
      condition.broadcast()
    }
  }

  func wait(for job: DecodeJob) throws -> ImageBatch {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let outcome = job.outcome { return try outcome.get() }
      condition.wait()
    }
  }

  /// Images submitted and not yet decoded.
  var load: Int {
    condition.lock()
    defer { condition.unlock() }
    return imagesInQueue
  }

  /// Ends the threads after the images in their hands, and waits for them. What is still queued fails.
  func stop() {
    condition.lock()
    defer { condition.unlock() }
    isStopping = true
    for job in unclaimedJobs { job.outcome = .failure(Self.stopped) }
    unclaimedJobs = []
    condition.broadcast()
    while threadsAlive > 0 { condition.wait() }
  }

  /// The life of one thread.
  func work() {
    let renderer = ImageRenderer(pipeline: pipeline, limits: limits, augmentation: augmentation)
    let storedForm = StoredForm(storedFormat, pipeline: pipeline)
    while let (job, range) = claim() {
      var failures: [Int: String] = [:]
      for index in range {
        let slot = job.memory.base + index * pipeline.elementsPerImage * pixelType.size
        do {
          let image = job.examples[index].image
          try render(
            job.isStoredFirst ? storedForm(image) : image, job.views[index], into: slot, with: renderer)
        } catch {
          failures[index] = (error as? OnePassError)?.message ?? "\(error)"
        }
      }
      finish(range, of: job, failures)
    }
    condition.lock()
    threadsAlive -= 1
    condition.broadcast()
    condition.unlock()
  }

  private func render(
    _ image: EncodedImage, _ view: ImagePipeline.View, into slot: UnsafeMutableRawPointer,
    with renderer: ImageRenderer
  ) throws {
    let count = pipeline.elementsPerImage
    switch pixelType {
    case .float32:
      let start = slot.bindMemory(to: Float.self, capacity: count)
      try renderer.render(image, view, into: UnsafeMutableBufferPointer(start: start, count: count))
    case .uint8:
      let start = slot.bindMemory(to: UInt8.self, capacity: count)
      try renderer.render(image, view, into: UnsafeMutableBufferPointer(start: start, count: count))
    }
  }

  /// Some images of the oldest job; `nil` when the thread is to end.
  private func claim() -> (DecodeJob, Range<Int>)? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopping {
      if let job = unclaimedJobs.first {
        let count = job.examples.count
        // A few at a time, so that the lock costs little with tiny images and the ends stay even with large ones.
        let portion = max(1, min(16, count / (4 * threads)))
        let range = job.nextUnclaimed..<min(count, job.nextUnclaimed + portion)
        job.nextUnclaimed = range.upperBound
        if range.upperBound == count { unclaimedJobs.removeFirst() }
        return (job, range)
      }
      condition.wait()
    }
    return nil
  }

  private func finish(_ range: Range<Int>, of job: DecodeJob, _ failures: [Int: String]) {
    condition.lock()
    defer { condition.unlock() }
    job.failures.merge(failures) { first, _ in first }
    job.decoded += range.count
    imagesInQueue -= range.count
    let isLast = job.decoded == job.examples.count
    if isLast, job.outcome == nil {
      let allFailures = job.failures
      // Moving images takes time; no other thread looks at this job now.
      condition.unlock()
      let batch = ImageBatch(
        examples: job.examples, failures: allFailures, pipeline: pipeline, pixelType: pixelType,
        memory: job.memory)
      condition.lock()
      job.outcome = .success(batch)
    }
    if isLast || submittersWaiting > 0 { condition.broadcast() }
  }
}
