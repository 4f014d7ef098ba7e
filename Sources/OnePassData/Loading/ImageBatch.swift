import OnePassCore

/// Decoded images in the order in which they were asked for, ready for the model; broken ones are left out.
///
/// ```swift
/// let batch = try pool.submit(examples, views: views).wait()
/// batch.withPixels { pixels in … }      // batch.shape: [count, size, size, channels]
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
  private let memory: BatchMemory

  /// The number of images in the batch: the good ones.
  public var count: Int { examples.count }
  /// The class of each image.
  public var labels: [Int] { examples.map(\.label) }

  /// Takes over the memory of a finished job, moving good images into the places of broken ones.
  init(
    examples: [Example], failures: [Int: String], pipeline: ImagePipeline, memory: BatchMemory
  ) {
    let stride = pipeline.elementsPerImage
    if failures.isEmpty {
      self.examples = examples
    } else {
      var kept: [Example] = []
      for (index, example) in examples.enumerated() where failures[index] == nil {
        if index != kept.count {
          (memory.base + kept.count * stride).update(from: memory.base + index * stride, count: stride)
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
    self.memory = memory
  }

  /// Calls `body` with the normalised float32 pixels, NHWC, 64-byte aligned.
  public func withPixels<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    try body(UnsafeBufferPointer(start: memory.base, count: shape.reduce(1, *)))
  }

  /// Where the pixels begin, for a tensor over the same memory; valid while the batch lives.
  package var baseAddress: UnsafeMutablePointer<Float> { memory.base }
}
