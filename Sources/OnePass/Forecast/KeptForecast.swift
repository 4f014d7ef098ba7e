import OnePassCore
import OnePassData
import OnePassReplay

/// The storage that a run would use, estimated from the first images.
struct KeptForecast {
  /// The mean encoded size of the images, in bytes.
  let imageBytes: Double
  /// `nil` if nothing is stored.
  private(set) var storage: RunForecast.Storage?
  /// The part of the storage in RAM, in bytes.
  private(set) var residentBytes = 0

  /// - Parameters:
  ///   - examples: The first images, at least one.
  ///   - isKeptBySource: Whether the source has random access.
  init(
    _ configuration: RunConfiguration, _ parts: MethodParts, _ plan: TrainingPlan, _ examples: [Example],
    pipeline: ImagePipeline, isKeptBySource: Bool
  ) throws {
    imageBytes = Double(examples.reduce(0) { $0 + $1.image.byteCount }) / Double(examples.count)
    var kept = RunForecast.Storage(
      examples: 0, bytes: 0, isBudgetInBytes: false, isOnDisk: configuration.memory.directory != nil,
      shuffleBufferBytes: 0)
    if configuration.method == .multiEpoch {
      (kept.examples, kept.bytes) = (plan.streamExamples, Int(imageBytes * Double(plan.streamExamples)))
      residentBytes = isKeptBySource ? 0 : kept.bytes
    }
    if let capacity = plan.capacity {
      let item = try Self.item(configuration, parts, plan, capacity, examples, pipeline)
      switch capacity {
      case .examples(let count): kept.examples = count
      case .bytes(let bytes):
        kept.isBudgetInBytes = true
        kept.examples = min(plan.streamExamples, Int(Double(bytes) / item.bytes))
      }
      kept.bytes = Int(Double(kept.examples) * item.bytes)
      residentBytes = Int(Double(kept.examples) * item.residentBytes)
    }
    if let size = configuration.data.shuffleBuffer {
      let waiting = ShuffleBuffer.expected(size, imageBytes: imageBytes, of: plan.streamExamples)
      kept.shuffleBufferBytes = waiting.bytes
      kept.examples += waiting.examples
      kept.bytes += waiting.bytes
      residentBytes += waiting.bytes
    }
    if kept.examples > 0 { storage = kept }
  }

  /// The mean size of an item with its index, in bytes: in all, and in RAM.
  private static func item(
    _ configuration: RunConfiguration, _ parts: MethodParts, _ plan: TrainingPlan,
    _ capacity: ReplayMemory.Capacity, _ examples: [Example], _ pipeline: ImagePipeline
  ) throws -> (bytes: Double, residentBytes: Double) {
    let form = StoredForm(configuration.storedFormat, pipeline: pipeline)
    let memory = ReplayMemory(
      capacity: capacity, drawing: parts.drawing, evicting: parts.evicting, seed: configuration.seed,
      noteBytes: configuration.noteBytes)
    let images = try examples.map { try form($0.image) }
    func mean(_ bytes: (EncodedImage) -> Int) -> Double {
      Double(images.reduce(0) { $0 + bytes($1) }) / Double(images.count)
    }
    guard configuration.memory.directory != nil else {
      let bytes = mean(memory.cost)
      return (bytes, bytes)
    }
    let typical = images[0].byteCount
    let index = Double(memory.indexBytesPerItem)
    let isEncrypted = configuration.memory.key != nil
    let onDisk = mean {
      DiskImages.bytes(forImageOf: $0.byteCount, amongImagesOf: typical, encrypted: isEncrypted)
    }
    return (index + onDisk, index)
  }
}
