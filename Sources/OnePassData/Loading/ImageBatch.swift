import OnePassCore

/// Decoded images in the order in which they were asked for, ready for the model; broken ones are left out.
///
/// ```swift
/// let batch = try pool.submit(examples, views: views).wait()
/// batch.withPixels { pixels in print(pixels.count) }   // batch.shape: [count, size, size, channels]
/// for skipped in batch.skipped { print("example \(skipped.id): \(skipped.reason)") }
/// ```
///
/// Its memory goes back to the pool when the last reference is gone, so keep the batch for as long as anything
/// (a tensor made over the same memory, say) looks at its pixels.
public final class ImageBatch: @unchecked Sendable {
  // Sendable because nothing is written after the pool has handed the batch out.

  /// The examples whose images are in the batch, in order.
  public let examples: [Example]
  /// The examples that were left out because their images are broken, in order.
  public let skipped: [SkippedExample]
  /// `[count, size, size, channels]`.
  public let shape: [Int]
  /// What its numbers are.
  public let pixelType: PixelType
  private let memory: BatchMemory

  /// The number of images in the batch: the good ones.
  public var count: Int { examples.count }
  /// The class of each image.
  public var labels: [Int] { examples.map(\.label) }

  /// Takes over the memory of a finished job, moving good images into the places of broken ones.
  init(
    examples: [Example], failures: [Int: String], pipeline: ImagePipeline, pixelType: PixelType,
    memory: BatchMemory
  ) {
    let stride = pipeline.elementsPerImage * pixelType.size
    if failures.isEmpty {
      self.examples = examples
    } else {
      var kept: [Example] = []
      for (index, example) in examples.enumerated() where failures[index] == nil {
        if index != kept.count {
          (memory.base + kept.count * stride).copyMemory(
            from: memory.base + index * stride, byteCount: stride)
        }
        kept.append(example)
      }
      self.examples = kept
    }
    skipped = examples.indices.compactMap { index in
      failures[index].map {
        SkippedExample(id: examples[index].id, reason: $0, bytes: examples[index].image.byteCount)
      }
    }
    shape = [self.examples.count, pipeline.size, pipeline.size, pipeline.channels]
    self.pixelType = pixelType
    self.memory = memory
  }

  /// Calls `body` with the normalised float32 pixels, NHWC, 64-byte aligned.
  /// - Precondition: the batch holds float32.
  public func withPixels<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    precondition(pixelType == .float32, "A batch of levels holds no normalised pixels.")
    let count = shape.reduce(1, *)
    return try body(
      UnsafeBufferPointer(start: memory.base.bindMemory(to: Float.self, capacity: count), count: count))
  }

  /// Calls `body` with the levels 0 … 255, NHWC, 64-byte aligned.
  /// - Precondition: the batch holds uint8.
  public func withLevels<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
    precondition(pixelType == .uint8, "A batch of normalised pixels holds no levels.")
    let count = shape.reduce(1, *)
    return try body(
      UnsafeBufferPointer(start: memory.base.bindMemory(to: UInt8.self, capacity: count), count: count))
  }

  /// Where the pixels begin, for a tensor over the same memory; valid while the batch lives.
  package var baseAddress: UnsafeMutableRawPointer { memory.base }
}
