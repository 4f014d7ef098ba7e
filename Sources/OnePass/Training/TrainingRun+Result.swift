import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

// What a run tells when it is over.
extension TrainingRun {
  func notices(after trainer: Trainer, _ plan: TrainingPlan) -> [String] {
    var notices: [String] = []
    let taken = trainer.tally.taken
    if configuration.method != .multiEpoch, taken < plan.streamExamples {
      let isAsked = trainer.end.coolDown != nil && trainer.stepsDone == trainer.end.steps
      var notice =
        isAsked
        ? "The run ended as it was asked to, after \(taken) of the \(plan.streamExamples) examples that were planned"
        : "The stream ended after \(taken) of \(plan.streamExamples) examples"
      if configuration.schedule != .constant, !isAsked { notice += ", so the learning rate did not reach 0" }
      if let capacity = plan.capacityExamples {
        notice += ", and a memory of \(capacity) examples is a larger share of it than was planned"
      }
      notices.append(notice + ".")
    }
    notices += trainer.tally.firstSkipped.map { "Left out \(trainer.tally.describe($0))" }
    if let oversized = trainer.memory?.counters.oversized, oversized > 0 {
      notices.append("\(oversized) examples were larger than the storage takes at once and were never kept.")
    }
    return notices
  }

  func makeResult(
    _ trainer: Trainer, _ learner: Learner, _ ranks: Ranks, _ plan: TrainingPlan, _ card: ModelCard,
    _ device: Device, _ pool: DecodePool, _ reestimation: Reestimation?
  ) -> RunResult {
    let passes = configuration.method == .multiEpoch ? configuration.epochs : 1
    let stream = RunResult.Stream(
      examples: trainer.tally.taken / passes, skipped: trainer.tally.skipped / passes,
      bytes: trainer.tally.bytes / passes)
    let kept: (examples: Int, bytes: Int) =
      switch configuration.method {
      case .naive: (examples: 0, bytes: 0)
      case .replay: (trainer.memory?.counters.peakItems ?? 0, trainer.memory?.counters.peakBytes ?? 0)
      case .multiEpoch: (stream.examples, stream.bytes)
      }
    let waiting = (source as? ShuffleBuffer)?.peak
    // As if both had been fullest at the same instant: the buffer is from its first example to the stream's end.
    let storage = (
      examples: kept.examples + (waiting?.examples ?? 0), bytes: kept.bytes + (waiting?.bytes ?? 0)
    )
    return RunResult(
      accuracy: nil,
      online: trainer.online.value.map { .init(top1: $0, examples: trainer.online.count) },
      storage: .init(
        examples: storage.examples, bytes: storage.bytes,
        exampleFraction: Double(storage.examples) / Double(stream.examples),
        byteFraction: Double(storage.bytes) / Double(stream.bytes), shuffleBuffer: waiting),
      compute: .init(
        trainer.trained, fullSide: card.pipeline.size, forwardExamples: reestimation?.examples,
        updates: learner.updatesMade, ofStream: stream.examples),
      throughput: .init(
        imagesPerSecond: Double(trainer.trained.count) / max(trainer.seconds, 1e-9),
        imageWaitSeconds: trainer.imageWaitSeconds),
      wallSeconds: trainer.seconds + (reestimation?.seconds ?? 0), trainingSeconds: trainer.seconds,
      stream: stream, coolDown: trainer.end.coolDown,
      memory: trainer.memory?.counters,
      memoryContents: trainer.memory.map {
        MemorySummary(Array($0.items), examplesSeen: trainer.tally.taken)
      },
      configuration: resolved(card, device, pool), plan: plan, version: onePassVersion,
      commit: SourceRevision.current?.commit, dirty: SourceRevision.current?.isModified,
      engine: Engine.version, machine: .current,
      processes: ranks.count == 1
        ? nil
        : .init(
          count: ranks.count, gradientBytes: 4 * learner.model.parameterCount * learner.updatesMade,
          otherBytes: ranks.bytesSent))
  }

  /// The configuration as a file that makes this run again. Names of classes that come from the data come from there again.
  func fileText(of result: RunResult) -> String {
    var resolved = result.configuration
    resolved.classNames = configuration.classNames
    return resolved.fileText
  }

  /// The configuration with every choice that was left to the program.
  func resolved(_ card: ModelCard, _ device: Device, _ pool: DecodePool) -> RunConfiguration {
    var resolved = configuration.withoutSecrets
    resolved.stem = card.stem
    resolved.imageSize = card.pipeline.size
    resolved.channels = card.pipeline.channels
    resolved.classCount = card.classes
    resolved.classNames = card.classNames
    resolved.device = device.description
    resolved.threads = Engine.threadCount
    resolved.decodeThreads = pool.threads
    resolved.keepPictures = configuration.picturesKept
    return resolved
  }
}
