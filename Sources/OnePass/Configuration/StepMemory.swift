import OnePassCore
import OnePassData
import OnePassReplay

/// The memory of the mini-batches that are decoded at the same time, which a machine must have.
struct StepMemory {
  /// The number of mini-batches: the incoming one, the next one and the replays of a step.
  let batches: Int
  /// The size of one on this process, in bytes.
  let batchBytes: Int

  /// - Parameters:
  ///   - streamExamples: The length of the stream: a mini-batch has no more images.
  ///   - ranks: The number of processes that share a mini-batch.
  ///   - elementBytes: The size of a decoded value.
  init(
    _ configuration: RunConfiguration, _ pipeline: ImagePipeline, streamExamples: Int, ranks: Int,
    elementBytes: Int
  ) {
    batches = 2 + (configuration.method == .replay ? configuration.replay.steps : 0)
    let images = min(configuration.recipe.batchSize, streamExamples)
    batchBytes = (images + ranks - 1) / ranks * pipeline.elementsPerImage * elementBytes
  }

  /// - Throws: `OnePassError` (`usage`) if the mini-batches exceed the memory of the machine.
  func check(against available: Int = MachineMemory.bytes) throws {
    guard batchBytes > available / batches else { return }
    throw OnePassError.stepExceedsMemory(batches: batches, of: batchBytes, available: available)
  }
}

extension RunConfiguration {
  /// Checks that the index of a replay memory of a number of examples fits into the machine. It is always in RAM.
  ///
  /// A share of the stream is not checked, since the length of a stream can be a generous upper bound.
  /// - Throws: `OnePassError` (`usage`) if it does not.
  func checkIndex(_ parts: MethodParts, against available: Int = MachineMemory.bytes) throws {
    guard method == .replay, case .examples(let count) = memory.storage, count > 0 else { return }
    let item = ReplayMemory(
      capacity: .examples(count), drawing: parts.drawing, evicting: parts.evicting, seed: seed,
      noteBytes: noteBytes
    ).indexBytesPerItem
    guard count > available / item else { return }
    throw OnePassError.indexExceedsMemory(
      examples: count, bytes: count.multipliedReportingOverflow(by: item).overflow ? .max : count * item,
      available: available)
  }
}
