import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("The decode pool", .timeLimit(.minutes(1)))
struct DecodePoolTests {
  let pipeline = ImagePipeline(size: 24, channels: 3, geometry: .resizeAndCrop(resize: 30))

  /// Valid files of several kinds, with broken ones at the positions of `isBroken`.
  func examples(_ count: Int, isBroken: (Int) -> Bool = { _ in false }) throws -> [Example] {
    let files = try ["420.jpg", "palette.png", "cmyk.jpg", "rgb.png", "progressive.jpg"].map(
      ImageFixtures.file)
    let broken = try ImageFixtures.file("truncated.jpg")
    return (0..<count).map { index in
      Example(
        id: 1000 + index, label: index % 7, image: isBroken(index) ? broken : files[index % files.count])
    }
  }

  func views(_ examples: [Example]) -> [ImagePipeline.View] {
    examples.map { .augmented(seed: 4, id: $0.id, visit: 2) }
  }

  /// Each image rendered separately on this thread.
  func alone(_ examples: [Example]) throws -> [Float] {
    let renderer = ImageRenderer(pipeline: pipeline)
    var all: [Float] = []
    for (example, view) in zip(examples, views(examples)) {
      var values = [Float](repeating: .nan, count: pipeline.elementsPerImage)
      try values.withUnsafeMutableBufferPointer { try renderer.render(example.image, view, into: $0) }
      all += values
    }
    return all
  }

  @Test("Any number of threads gives the same bits in the same order", arguments: [1, 2, 3, 8])
  func sameBits(threads: Int) throws {
    let pool = DecodePool(pipeline: pipeline, threads: threads)
    let all = try examples(83)
    let batches = stride(from: 0, to: all.count, by: 20).map { Array(all[$0..<min($0 + 20, all.count)]) }
    let pending = batches.map { pool.submit($0, views: views($0)) }
    // Awaited from the last to the first, because the order must not matter.
    for (examples, pending) in zip(batches, pending).reversed() {
      let batch = try pending.wait()
      #expect(batch.examples.map(\.id) == examples.map(\.id))
      #expect(batch.labels == examples.map(\.label))
      #expect(batch.shape == [examples.count, 24, 24, 3] && batch.count == examples.count)
      let expected = try alone(examples)
      batch.withPixels { pixels in
        #expect(pixels.elementsEqual(expected))
        #expect(UInt(bitPattern: pixels.baseAddress) % 64 == 0)
      }
    }
    pool.shutdown()
  }

  @Test(
    "Levels have the same order, and the levels of later images replace those of broken ones",
    arguments: [1, 3])
  func levels(threads: Int) throws {
    let pool = DecodePool(pipeline: pipeline, threads: threads, pixelType: .uint8)
    defer { pool.shutdown() }
    let all = try examples(40) { $0 % 5 == 1 }
    let good = all.indices.filter { $0 % 5 != 1 }.map { all[$0] }
    let batch = try pool.submit(all, views: views(all)).wait()
    #expect(batch.pixelType == .uint8 && batch.examples.map(\.id) == good.map(\.id))
    let (mean, deviation) = (pipeline.normalisation.mean, pipeline.normalisation.deviation)
    let expected = try alone(good)
    batch.withLevels { levels in
      #expect(levels.count == expected.count)
      let normalised = levels.enumerated().map { (Float($1) / 255 - mean[$0 % 3]) / deviation[$0 % 3] }
      #expect(zip(normalised, expected).allSatisfy { abs($0 - $1) < 2e-6 })
    }
  }

  @Test("Broken images are left out in order and listed", arguments: [1, 3])
  func brokenImages(threads: Int) throws {
    let pool = DecodePool(pipeline: pipeline, threads: threads)
    for isBroken: (Int) -> Bool in [{ $0 % 3 == 0 }, { $0 == 20 }, { _ in true }, { $0 < 5 }] {
      let all = try examples(21, isBroken: isBroken)
      let batch = try pool.submit(all, views: views(all)).wait()
      let good = all.enumerated().filter { !isBroken($0.offset) }.map(\.element)
      let bad = all.enumerated().filter { isBroken($0.offset) }.map(\.element)
      #expect(batch.examples.map(\.id) == good.map(\.id))
      #expect(batch.labels == good.map(\.label))
      #expect(batch.skipped.map(\.id) == bad.map(\.id))
      #expect(batch.skipped.allSatisfy { $0.reason.contains("is truncated") })
      let expected = try alone(good)
      #expect(batch.withPixels { $0.elementsEqual(expected) })
    }
  }

  @Test("An empty batch has no images")
  func emptyBatch() throws {
    let batch = try DecodePool(pipeline: pipeline, threads: 1).submit([], views: []).wait()
    #expect(batch.count == 0 && batch.shape == [0, 24, 24, 3] && batch.skipped.isEmpty)
  }

  @Test("The queue never exceeds its capacity, except for a single larger batch")
  func boundedLoad() throws {
    let pool = DecodePool(pipeline: pipeline, threads: 2, queueCapacity: 50)
    let few = try examples(20)
    let many = try examples(60)
    var pending: [PendingBatch] = []
    for _ in 0..<15 {
      pending.append(pool.submit(few, views: views(few)))
      #expect(pool.load <= 50)
    }
    pending.append(pool.submit(many, views: views(many)))
    #expect(try pending.map { try $0.wait().count } == Array(repeating: 20, count: 15) + [60])
    #expect(pool.load == 0)
  }

  @Test("A submission waits while the queue is full, and continues when images are decoded")
  func submissionWaits() throws {
    // Without threads the queue stays full until the test starts one.
    let queue = DecodeQueue(
      pipeline: pipeline, pixelType: .float32, limits: ImageLimits(), capacity: 5, threads: 1)
    let memory = BatchMemoryPool(limit: 1)
    let all = try examples(3)
    let jobs = (0..<2).map { _ in
      DecodeJob(
        examples: all, views: views(all), memory: memory.take(count: 3 * 4 * pipeline.elementsPerImage))
    }
    queue.add(jobs[0])
    #expect(queue.load == 3)
    let added = DispatchSemaphore(value: 0)
    Thread {
      queue.add(jobs[1])
      added.signal()
    }.start()
    let isEarly = added.wait(timeout: .now() + .milliseconds(100)) == .success
    #expect(!isEarly)
    #expect(queue.load == 3)
    Thread { queue.work() }.start()
    if !isEarly { added.wait() }
    #expect(try jobs.map { try queue.wait(for: $0).count } == [3, 3])
    queue.stop()
  }

  @Test("After a shutdown, batches that were not decoded fail with an error message")
  func shutdownFailsTheRest() throws {
    let all = try examples(64)
    for threads in [1, 4] {
      let pool = DecodePool(pipeline: pipeline, threads: threads, queueCapacity: 10_000)
      let pending = (0..<40).map { _ in pool.submit(all, views: views(all)) }
      pool.shutdown()
      pool.shutdown()
      let late = pool.submit(all, views: views(all))
      var failed = 0
      for pending in pending + [late] {
        do {
          #expect(try pending.wait().count == 64)
        } catch {
          failed += 1
          #expect((error as? OnePassError)?.code == .engine)
        }
      }
      #expect(failed >= 1)
      #expect(throws: OnePassError.self) { try late.wait() }
    }
  }

  @Test("Releasing the pool ends its threads, and its batches stay valid")
  func lettingGo() throws {
    let all = try examples(10)
    let expected = try alone(all)
    weak var queue: DecodeQueue?
    // The pool is released when the closure returns.
    let batch = try {
      let pool = DecodePool(pipeline: pipeline, threads: 3)
      queue = pool.queue
      return try pool.submit(all, views: views(all)).wait()
    }()
    // Only the threads retain the queue now, and they release it some time after they end.
    for _ in 0..<1000 where queue != nil { usleep(10_000) }
    #expect(queue == nil)
    #expect(batch.withPixels { $0.elementsEqual(expected) })
  }

  @Test("A retained batch keeps its pixels while other batches are decoded")
  func heldMemory() throws {
    let pool = DecodePool(pipeline: pipeline, threads: 2)
    let all = try examples(8)
    let kept = try pool.submit(all, views: views(all)).wait()
    let before = kept.withPixels(Array.init)
    for _ in 0..<20 {
      let batch = try pool.submit(all, views: all.map { _ in .centre }).wait()
      #expect(batch.baseAddress != kept.baseAddress)
    }
    #expect(kept.withPixels(Array.init) == before)
  }
}

@Suite("The memory of batches")
struct BatchMemoryTests {
  @Test("The memory of finished batches is reused for similar sizes, up to a limit")
  func recycling() {
    let pool = BatchMemoryPool(limit: 2)
    var held: [BatchMemory] = (0..<3).map { _ in pool.take(count: 1000) }
    #expect(Set(held.map(\.base)).count == 3 && pool.idleBlocks == 0)
    let bases = Set(held.map(\.base))
    held = []
    #expect(pool.idleBlocks == 2)
    held = [pool.take(count: 1000), pool.take(count: 600)]
    #expect(bases.isSuperset(of: held.map(\.base)) && held[0].base != held[1].base && pool.idleBlocks == 0)
    #expect(held.allSatisfy { $0.capacity == 1000 && UInt(bitPattern: $0.base) % 64 == 0 })
    held = []
    // A much smaller or larger batch does not fit, so the old blocks are released.
    for count in [10, 5000] {
      held = [pool.take(count: count)]
      #expect(held[0].capacity == count && pool.idleBlocks == 0)
      held = []
      #expect(pool.idleBlocks == 1)
    }
  }
}
