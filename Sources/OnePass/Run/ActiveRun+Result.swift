import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

// What a run reports when it is over.
extension ActiveRun {
  /// What the user should know of how the training ended.
  var notices: [String] {
    let plan = assembly.plan
    var notices: [String] = []
    let taken = loop.incoming.tally.taken
    if configuration.method != .multiEpoch, taken < plan.streamExamples {
      let isAsked = loop.position.coolDown != nil && loop.position.steps == loop.position.end
      var notice =
        isAsked
        ? "The run ended as it was asked to, after \(taken) of the \(plan.streamExamples) examples that were planned"
        : "The stream ended after \(taken) of \(plan.streamExamples) examples"
      if configuration.recipe.schedule != .constant, !isAsked {
        notice += ", so the learning rate did not reach 0"
      }
      if let capacity = plan.capacityExamples {
        notice += ", and a memory of \(capacity) examples is a larger share of it than was planned"
      }
      notices.append(notice + ".")
    }
    notices += loop.incoming.tally.firstSkipped.map { "Left out \(loop.incoming.tally.describe($0))" }
    if let oversized = loop.rehearsal?.memory.counters.oversized, oversized > 0 {
      notices.append("\(oversized) examples were larger than the storage takes at once and were never kept.")
    }
    return notices
  }

  /// The result without an accuracy.
  func makeResult() -> RunResult {
    let (tally, memory) = (loop.incoming.tally, loop.rehearsal?.memory)
    let passes = configuration.method == .multiEpoch ? configuration.epochs : 1
    let examples = tally.taken / passes
    return RunResult(
      accuracy: nil,
      online: records.online.accuracy.value.map {
        .init(top1: $0, examples: records.online.accuracy.count)
      },
      storage: storage(ofStream: examples, bytes: tally.bytes / passes),
      compute: .init(
        examples: loop.position.examplesTrained,
        fraction: RunResult.Compute.fraction(examples: loop.position.examplesTrained, ofStream: examples),
        updates: learner.updatesMade),
      throughput: .init(
        imagesPerSecond: Double(loop.position.examplesTrained) / max(loop.position.seconds, 1e-9),
        imageWaitSeconds: loop.incoming.imageWaitSeconds),
      wallSeconds: loop.position.seconds, trainingSeconds: loop.position.seconds,
      stream: .init(examples: examples, skipped: tally.skipped / passes, bytes: tally.bytes / passes),
      coolDown: loop.position.coolDown, memory: memory?.counters,
      memoryContents: memory.map { MemorySummary(Array($0.items), examplesSeen: tally.taken) },
      configuration: assembly.resolvedConfiguration, plan: assembly.plan, version: onePassVersion,
      commit: SourceRevision.current?.commit, dirty: SourceRevision.current?.isModified,
      engine: Engine.version, machine: .current, processes: processes)
  }

  private func storage(ofStream examples: Int, bytes: Int) -> RunResult.Storage {
    let counters = loop.rehearsal?.memory.counters
    let kept: (examples: Int, bytes: Int) =
      switch configuration.method {
      case .naive: (0, 0)
      case .replay: (counters?.peakItems ?? 0, counters?.peakBytes ?? 0)
      case .multiEpoch: (examples, bytes)
      }
    let waiting = stream.buffer?.peak
    // As if both had been fullest at the same instant: the buffer is from its first example to the stream's end.
    let all = (
      examples: kept.examples + (waiting?.examples ?? 0), bytes: kept.bytes + (waiting?.bytes ?? 0)
    )
    return .init(
      examples: all.examples, bytes: all.bytes, exampleFraction: Double(all.examples) / Double(examples),
      byteFraction: Double(all.bytes) / Double(bytes), shuffleBuffer: waiting)
  }

  private var processes: RunResult.Processes? {
    guard loop.ranks.count > 1 else { return nil }
    return .init(
      count: loop.ranks.count, gradientBytes: 4 * learner.model.parameterCount * learner.updatesMade,
      otherBytes: loop.ranks.bytesSent)
  }

  /// The configuration as a file that makes this run again. Names of classes that come from the data come from there again.
  func runFile(of result: RunResult) -> String {
    var resolved = result.configuration
    resolved.data.classNames = configuration.data.classNames
    return resolved.fileText
  }
}
