import OnePassData
import OnePassTorch

/// Brings decoded mini-batches to the device of a model.
///
/// To the CPU they come as they are, normalised where they were decoded. Another device gets 8-bit levels out of pinned
/// memory, while it works on what it got before, and normalises them itself.
struct BatchTransfer {
  let device: Device
  private let normaliser: LevelNormaliser

  init(to device: Device, normalisation: Normalisation) throws {
    self.device = device
    normaliser = try LevelNormaliser(
      mean: normalisation.mean, deviation: normalisation.deviation, on: device)
  }

  /// A mini-batch as the model takes it: images `[N, C, H, W]` in channels-last order, and labels `[N]`.
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
  /// A pool whose batches suit a model on `device`.
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
