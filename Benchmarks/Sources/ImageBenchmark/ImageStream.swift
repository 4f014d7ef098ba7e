import OnePassCore
import OnePassData

/// Images that go through a decode pool in batches, as in training.
final class ImageStream {
  /// The number of replays per incoming image, and the share of images inserted into a memory of 10 % of
  /// ImageNet.
  private static let replays = 8
  private static let insertedShare = 0.435

  private let images: [EncodedImage]
  private let pipeline: ImagePipeline
  private let pool: DecodePool
  private var memory: [EncodedImage] = []
  private var visit = 0

  init(_ images: [EncodedImage], pipeline: ImagePipeline, augmentation: Augmentation, threads: Int) {
    self.images = images
    self.pipeline = pipeline
    pool = DecodePool(pipeline: pipeline, threads: threads, augmentation: augmentation)
  }

  /// Decodes every image once and returns the number of images.
  func pass() throws -> Int {
    try decode(images)
    return images.count
  }

  /// Decodes every image once from its original and eight times from the memory, and inserts some into the
  /// memory.
  ///
  /// The choice of replayed images does not affect the time, so all of them are replayed in turn.
  func replayPass() throws -> Int {
    let form = StoredForm(.resized, pipeline: pipeline)
    if memory.isEmpty { memory = try images.map(form.callAsFunction) }
    try decode(images)
    var due = 0.0
    for (index, image) in images.enumerated() {
      due += Self.insertedShare
      if due >= 1 {
        due -= 1
        memory[index] = try form(image)
      }
    }
    for _ in 0..<Self.replays { try decode(memory) }
    return (1 + Self.replays) * images.count
  }

  /// Submits two batches in advance, so that no thread is idle.
  private func decode(_ images: [EncodedImage]) throws {
    visit += 1
    var pending: [PendingBatch] = []
    var first = 0
    while first < images.count || !pending.isEmpty {
      if first < images.count, pending.count < 2 {
        let ids = first..<min(first + ImageBenchmark.batch, images.count)
        pending.append(
          pool.submit(
            ids.map { Example(id: $0, label: 0, image: images[$0]) },
            views: ids.map { .augmented(seed: 1, id: $0, visit: visit) }))
        first = ids.upperBound
      } else {
        let batch = try pending.removeFirst().wait()
        guard batch.skipped.isEmpty else { throw OnePassError(.badData, batch.skipped[0].reason) }
      }
    }
  }
}
