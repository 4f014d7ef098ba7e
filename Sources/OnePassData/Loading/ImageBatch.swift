import OnePassCore

/// Decoded images in the order of submission, without broken ones.
///
/// ```swift
/// let batch = try pool.submit(examples, views: views).wait()
/// batch.withPixels { pixels in print(pixels.count) }   // batch.shape: [count, size, size, channels]
/// for skipped in batch.skipped { print("example \(skipped.id): \(skipped.reason)") }
/// ```
///
/// The last reference returns its memory to the pool. Keep the batch as long as its pixels are in use, for example by a
/// tensor over the same memory.
public final class ImageBatch: @unchecked Sendable {
  // Sendable because nothing is written after the pool has published the batch.

  /// The examples whose images are in the batch, in order.
  public let examples: [Example]
  /// The examples that are not in the batch because their images are broken, in order.
  public let skipped: [SkippedExample]
  /// The ids of the examples whose images are stored rotated or mirrored, in order.
  package let rotated: [Int]
  /// The shape of the pixels, `[count, size, size, channels]`.
  public let shape: [Int]
  /// The type of the pixels.
  public let pixelType: PixelType
  private let memory: BatchMemory

  /// The number of images in the batch.
  public var count: Int { examples.count }
  /// The class of each image.
  public var labels: [Int] { examples.map(\.label) }

  /// Takes the memory of a finished job, and moves decoded images into the slots of broken ones.
  init(
    examples: [Example], failures: [Int: String], rotated: Set<Int> = [], pipeline: ImagePipeline,
    pixelType: PixelType, memory: BatchMemory
  ) {
    self.rotated = rotated.sorted().map { examples[$0].id }
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

  private init(_ batch: ImageBatch, examples: [Example]) {
    self.examples = examples
    (skipped, rotated, shape) = (batch.skipped, batch.rotated, batch.shape)
    (pixelType, memory) = (batch.pixelType, batch.memory)
  }

  /// The same images with the labels of their classes, which are known now.
  /// - Parameter label: Returns the label of the example with an id.
  package func labelled(_ label: (Int) -> Int) -> ImageBatch {
    ImageBatch(self, examples: examples.map { $0.with(label: label($0.id)) })
  }

  /// Calls `body` with the normalised pixels, `[count, size, size, channels]`, 64-byte aligned.
  /// - Precondition: The pixel type is `float32`.
  public func withPixels<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    precondition(pixelType == .float32, "A batch of levels has no normalised pixels.")
    let count = shape.reduce(1, *)
    return try body(
      UnsafeBufferPointer(start: memory.base.bindMemory(to: Float.self, capacity: count), count: count))
  }

  /// Calls `body` with the levels 0 … 255, `[count, size, size, channels]`, 64-byte aligned.
  /// - Precondition: The pixel type is `uint8`.
  public func withLevels<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
    precondition(pixelType == .uint8, "A batch of normalised pixels has no levels.")
    let count = shape.reduce(1, *)
    return try body(
      UnsafeBufferPointer(start: memory.base.bindMemory(to: UInt8.self, capacity: count), count: count))
  }

  /// The address of the pixels, for a tensor over the same memory; valid while the batch exists.
  package var baseAddress: UnsafeMutableRawPointer { memory.base }
}
