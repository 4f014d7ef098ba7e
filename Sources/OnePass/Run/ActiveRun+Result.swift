import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

// The result and the notices of a finished run.
extension ActiveRun {
  /// Notices about the end of the training.
  var notices: [String] {
    let plan = plan
    var notices: [String] = []
    let taken = loop.incoming.tally.taken
    if configuration.method != .multiEpoch, taken < plan.streamExamples {
      let isRequested = loop.position.coolDown != nil && loop.position.steps == loop.position.end
      let count = plan.isEndless ? "\(taken) examples" : "\(taken) of \(plan.streamExamples) planned examples"
      var notice = isRequested ? "The run ended by request after \(count)" : "The stream ended after \(count)"
      if configuration.recipe.schedule != .constant, !isRequested {
        notice += ", so the learning rate did not reach 0"
      }
      if let capacity = plan.capacityExamples, !plan.isEndless {
        notice += ", and the memory of \(capacity) examples is a larger share of the stream than planned"
      }
      notices.append(notice + ".")
    }
    notices += loop.incoming.tally.firstSkipped.map { "Skipped \(loop.incoming.tally.describe($0))" }
    if let oversized = loop.rehearsal?.memory.counters.oversized, oversized > 0 {
      notices.append(
        "\(Figures.count(oversized, "example")) exceeded the whole --storage and could not be stored; raise --storage."
      )
    }
    return notices
  }

  /// The result without an accuracy.
  func makeResult() -> RunResult {
    let (tally, memory) = (loop.incoming.tally, loop.rehearsal?.memory)
    let passes = configuration.method == .multiEpoch ? configuration.epochs : 1
    let examples = tally.taken / passes
    let mark = stream.mark(taken: tally.taken)
    return RunResult(
      accuracy: nil,
      online: records.online.measures.result,
      drift: records.drift?.state.alarms,
      storage: storage(ofStream: examples, bytes: tally.bytes / passes),
      compute: .init(
        examples: loop.position.examplesTrained,
        fraction: RunResult.Compute.fraction(examples: loop.position.examplesTrained, ofStream: examples),
        updates: learner.updatesMade),
      throughput: .init(
        imagesPerSecond: Double(loop.position.examplesTrained) / max(loop.position.seconds, 1e-9),
        imageWaitSeconds: loop.incoming.imageWaitSeconds),
      wallSeconds: loop.position.seconds, trainingSeconds: loop.position.seconds,
      stream: .init(
        examples: examples, skipped: tally.skipped / passes, bytes: tally.bytes / passes,
        leftOut: loop.incoming.report.counts,
        choices: loop.incoming.report.choices + (assembly.choice?.choices ?? []),
        rotated: tally.rotated / passes, gaps: prepared.continuation?.gaps,
        orderedBySeed: configuration.method == .multiEpoch ? true : stream.source.orderDependsOnSeed,
        lost: stream.live?.lostCount, lag: mark.flatMap { stream.live?.lag(after: $0, waiting: 1) }),
      coolDown: loop.position.coolDown, memory: memory?.counters,
      memoryContents: memory.map { MemorySummary(Array($0.items), examplesSeen: tally.taken) },
      configuration: assembly.resolvedConfiguration(card), plan: plan, version: onePassVersion,
      commit: SourceRevision.current?.commit, dirty: SourceRevision.current?.isModified,
      engine: Engine.version, machine: .current,
      threads: .init(
        compute: Engine.threadCount, processors: .current, waiting: Engine.threadWaiting,
        kernels: Engine.kernels,
        cpuSeconds: records.processor.total.seconds, waitShare: records.processor.total.waitShare),
      processes: processes)
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
    let fetched = stream.live?.peakFetchedBytes
    // The sum of both peaks: the buffer stays full up to the end of the stream, where the memory is at its peak.
    let all = (
      examples: kept.examples + (waiting?.examples ?? 0),
      bytes: kept.bytes + (waiting?.bytes ?? 0) + (fetched ?? 0)
    )
    return .init(
      examples: all.examples, bytes: all.bytes, exampleFraction: Double(all.examples) / Double(examples),
      byteFraction: Double(all.bytes) / Double(bytes), shuffleBuffer: waiting, fetchedBytes: fetched,
      uncounted: uncounted)
  }

  private var uncounted: RunResult.Uncounted {
    let batches = assembly.pool.peakBytes
    return .init(
      batchEncodedBytes: batches.encoded, batchDecodedBytes: batches.decoded,
      ledgerBytes: records.ledger?.bytes, allocatorBytes: loop.rehearsal?.memory.allocatorBytes,
      decodeBudgetBytes: DecodeMemory.shared.bytes, decodePeakBytes: DecodeMemory.shared.peak,
      decodeWrittenBytes: DecodeMemory.shared.bytesWritten)
  }

  private var processes: RunResult.Processes? {
    guard loop.ranks.count > 1 else { return nil }
    return .init(
      count: loop.ranks.count, gradientBytes: 4 * learner.model.parameterCount * learner.updatesMade,
      otherBytes: loop.ranks.bytesSent)
  }

  /// The configuration file that repeats this run. Class names that were found in the data are not in it.
  func runFile(of result: RunResult) -> String {
    var resolved = result.configuration
    resolved.data.classNames = configuration.data.classNames
    return resolved.fileText
  }
}
