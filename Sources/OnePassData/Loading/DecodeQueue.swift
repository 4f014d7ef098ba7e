import Foundation
import OnePassCore

/// A submitted batch.
///
/// `@unchecked Sendable` because its variables are accessed only under the queue's lock, and each slot of its
/// memory only by the thread that has claimed it.
final class DecodeJob: @unchecked Sendable {
  let examples: [Example]
  let views: [ImagePipeline.View]
  let memory: BatchMemory
  /// Whether the images are converted to the format of the replay memory before decoding.
  let isStoredFirst: Bool
  var nextUnclaimed = 0
  var decoded = 0
  /// The error messages of broken images, by their index in the batch.
  var failures: [Int: String] = [:]
  /// The indices in the batch of the images that are stored rotated.
  var rotated: Set<Int> = []
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

/// A bounded queue of jobs, shared by the pool, its threads and its pending batches.
///
/// `@unchecked Sendable` because every variable is accessed only between `lock` and `unlock`.
final class DecodeQueue: @unchecked Sendable {
  let pipeline: ImagePipeline
  let augmentation: Augmentation
  let storedFormat: StoredFormat
  let pixelType: PixelType
  let limits: ImageLimits
  let capacity: Int
  private let threads: Int
  private let decodeMemory: DecodeMemory
  /// One lock and one signal for all events: new work, new room, a finished batch, an ended thread.
  private let condition = NSCondition()
  private var unclaimedJobs: [DecodeJob] = []
  private var imagesInQueue = 0
  private var submittersWaiting = 0
  private var threadsAlive: Int
  private var isStopping = false

  init(
    pipeline: ImagePipeline, augmentation: Augmentation = .standard,
    storedFormat: StoredFormat = StoredFormat(.original), pixelType: PixelType,
    limits: ImageLimits, capacity: Int, threads: Int, memory: DecodeMemory = .shared
  ) {
    decodeMemory = memory
    self.pipeline = pipeline
    self.augmentation = augmentation
    self.storedFormat = storedFormat
    self.pixelType = pixelType
    self.limits = limits
    self.capacity = capacity
    self.threads = threads
    threadsAlive = threads
  }

  /// Adds a job, after waiting until there is room for it or the queue is empty.
  func add(_ job: DecodeJob) {
    condition.lock()
    defer { condition.unlock() }
    let count = job.examples.count
    submittersWaiting += 1
    while !isStopping, imagesInQueue > 0, imagesInQueue + count > capacity { condition.wait() }
    submittersWaiting -= 1
    if isStopping {
      job.outcome = .failure(.decodePoolShutDown)
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

  /// The number of images submitted but not decoded.
  var load: Int {
    condition.lock()
    defer { condition.unlock() }
    return imagesInQueue
  }

  /// Ends the threads after their current images, and waits for them. Queued jobs fail.
  func stop() {
    condition.lock()
    defer { condition.unlock() }
    isStopping = true
    for job in unclaimedJobs { job.outcome = .failure(.decodePoolShutDown) }
    unclaimedJobs = []
    condition.broadcast()
    while threadsAlive > 0 { condition.wait() }
  }

  /// The main function of a decoding thread.
  func work() {
    let renderer = ImageRenderer(
      pipeline: pipeline, limits: limits, augmentation: augmentation, memory: decodeMemory)
    let storedForm = StoredForm(storedFormat, pipeline: pipeline)
    while let (job, range) = claim() {
      var failures: [Int: String] = [:]
      var rotated: Set<Int> = []
      for index in range {
        let slot = job.memory.base + index * pipeline.elementsPerImage * pixelType.size
        do {
          let image = job.examples[index].image
          try render(
            job.isStoredFirst ? storedForm(image) : image, job.views[index], into: slot, with: renderer)
          if renderer.isRotated || (job.isStoredFirst && storedForm.isRotated) { rotated.insert(index) }
        } catch {
          failures[index] = (error as? OnePassError)?.message ?? "\(error)"
        }
      }
      finish(range, of: job, failures, rotated)
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

  /// Claims images of the oldest job; `nil` when the thread must end.
  private func claim() -> (DecodeJob, Range<Int>)? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopping {
      if let job = unclaimedJobs.first {
        let count = job.examples.count
        // A few images at a time: the lock costs little for small images, and threads finish together for large ones.
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

  private func finish(
    _ range: Range<Int>, of job: DecodeJob, _ failures: [Int: String], _ rotated: Set<Int>
  ) {
    condition.lock()
    defer { condition.unlock() }
    job.failures.merge(failures) { first, _ in first }
    job.rotated.formUnion(rotated)
    job.decoded += range.count
    imagesInQueue -= range.count
    let isLast = job.decoded == job.examples.count
    if isLast, job.outcome == nil {
      let (allFailures, allRotated) = (job.failures, job.rotated)
      // Moving images takes time, and no other thread accesses this job now.
      condition.unlock()
      let batch = ImageBatch(
        examples: job.examples, failures: allFailures, rotated: allRotated, pipeline: pipeline,
        pixelType: pixelType, memory: job.memory)
      condition.lock()
      job.outcome = .success(batch)
    }
    if isLast || submittersWaiting > 0 { condition.broadcast() }
  }
}
