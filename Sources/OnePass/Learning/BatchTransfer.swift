import OnePassData
import OnePassTorch

/// Copies decoded mini-batches to the device of a model.
///
/// On the CPU, mini-batches are used in place; the decoder has normalised them. Other devices receive 8-bit levels from pinned
/// memory, asynchronously, and normalise them.
struct BatchTransfer {
  let device: Device
  private let normaliser: LevelNormaliser

  init(to device: Device, normalisation: Normalisation) throws {
    self.device = device
    normaliser = try LevelNormaliser(
      mean: normalisation.mean, deviation: normalisation.deviation, on: device)
  }

  /// Returns a mini-batch as tensors on the device: images `[N, C, H, W]` in channels-last order, and labels `[N]`.
  func callAsFunction(_ batch: ImageBatch) throws -> (images: Tensor, labels: Tensor) {
    let shape = [batch.count, batch.shape[3], batch.shape[1], batch.shape[2]]
    let count = shape.reduce(1, *)
    let images =
      switch batch.pixelType {
      case .float32:
        try Tensor(
          borrowing: batch.baseAddress.bindMemory(to: Float.self, capacity: count), shape: shape,
          owner: batch,
          on: device)
      case .uint8:
        try normaliser(
          batch.baseAddress.bindMemory(to: UInt8.self, capacity: count), shape: shape, owner: batch)
      }
    return (images, try Tensor(batch.labels.map(Int64.init), shape: [batch.count], on: device))
  }
}

extension DecodePool {
  /// Creates a pool whose batches have the pixel type and memory that suit `device`.
  convenience init(
    pipeline: ImagePipeline, threads: Int, queueCapacity: Int = 1024, augmentation: Augmentation = .standard,
    storedFormat: StoredFormat = StoredFormat(.original), feeding device: Device
  ) {
    self.init(
      pipeline: pipeline, threads: threads, queueCapacity: queueCapacity,
      pixelType: device == .cpu ? .float32 : .uint8, augmentation: augmentation,
      storedFormat: storedFormat
    ) { count in
      guard device != .cpu, let memory = PinnedMemory(count) else { return .pageable(count) }
      return BatchBlock(base: memory.base, owner: memory)
    }
  }
}
