import Foundation
import OnePassCore
import OnePassData
import Synchronization
import TestSupport
import Testing

@testable import OnePass

/// A stream that is silent until it is opened.
final class Tap: Sendable {
  private let condition = NSCondition()
  private let state = Mutex((left: 0, isClosed: false))

  func open(_ count: Int) {
    condition.withLock {
      state.withLock { $0.left += count }
      condition.broadcast()
    }
  }

  /// Delivers the rest without waiting.
  func close() {
    condition.withLock {
      state.withLock { $0.isClosed = true }
      condition.broadcast()
    }
  }

  private func wait() {
    condition.withLock {
      while state.withLock({ $0.left == 0 && !$0.isClosed }) { condition.wait() }
      state.withLock { $0.left -= 1 }
    }
  }

  /// Pictures from a number on.
  func source(from first: Int = 0, of count: Int = .max) -> SequenceSource {
    var next = first
    return SequenceSource("tap", classNames: ["a", "b"]) {
      guard next - first < count else { return nil }
      self.wait()
      defer { next += 1 }
      return Camera.picture(next)
    }
  }
}

@Suite("A run whose stream falls silent", .timeLimit(.minutes(2))) struct WaitingSourceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func configuration(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
    var configuration = RunConfiguration.small(on: "tap", replaySteps: 1)
    (configuration.recipe.batchSize, configuration.data.limit) = (8, 80)
    configuration.memory.storage = .examples(24)
    change(&configuration)
    return configuration
  }

  /// Trains, and stops when the stream has been silent for a while after a step; from the start if there will be none.
  func trainUntilSilent(
    _ tap: Tap, _ name: String, after steps: Int?, from first: Int = 0, continuing: Bool = false,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> RunStopped {
    let stop = StopRequest()
    @Sendable func stopSoon() {
      Thread {
        Thread.sleep(forTimeInterval: 0.8)
        stop.stop()
      }.start()
    }
    if steps == nil { stopSoon() }
    var stopped: RunStopped?
    do {
      _ = try TrainingRun(configuration(change), source: tap.source(from: first)).start(
        output: folder.file(name), resuming: true, continuing: continuing, stop: stop
      ) { if case .step(let report) = $0, report.step == steps { stopSoon() } }
    } catch let error as RunStopped { stopped = error }
    return try #require(stopped)
  }

  func numbers(_ name: String) throws -> [Int] {
    let numbers = Dictionary(
      uniqueKeysWithValues: (0..<200).map { (LedgerEntry.Hash(of: Camera.picture($0).image), $0) })
    let mark = try #require(try RunFiles(folder.file(name)).position().ledger)
    let file = try LedgerFile(path: folder.file("\(name)/ledger"), mark: mark)
    return try (0..<file.count).map { try numbers[file.entry(at: $0).hash] ?? -1 }
  }

  /// 37 of 80 examples arrive: four mini-batches of 8, and five examples of the fifth.
  @Test(
    "It is stopped and saved, and what had arrived of a mini-batch is trained later",
    arguments: [nil, ShuffleBufferSize.examples(10)])
  func aSilentRunIsSaved(buffer: ShuffleBufferSize?) throws {
    func change(_ configuration: inout RunConfiguration) { configuration.data.shuffleBuffer = buffer }
    let tap = Tap()
    tap.open(37)
    let start = ContinuousClock.now
    let stopped = try trainUntilSilent(tap, "run", after: buffer == nil ? 4 : 3, change)
    #expect(ContinuousClock.now - start < .seconds(20))
    // A buffer of ten holds back the last ones.
    #expect(stopped.output != nil && stopped.step == (buffer == nil ? 4 : 3))
    tap.close()
    let result = try TrainingRun(configuration(change), source: tap.source(from: 37)).start(
      output: folder.file("run"), resuming: true, continuing: true)
    #expect(result.stream.examples == 80)
    let taken = try numbers("run")
    #expect((buffer == nil ? taken : taken.sorted()) == Array(0..<80))
    #expect(try PassVerification(of: folder.file("run")).faults.isEmpty)
  }

  /// The same stream again, without a silence, is the reference.
  @Test("It resumes with the same stream from its start, and silences change nothing")
  func aSilentRunResumesExactly() throws {
    let open = Tap()
    open.close()
    _ = try TrainingRun(configuration(), source: open.source()).start(output: folder.file("whole"))
    let tap = Tap()
    tap.open(37)
    _ = try trainUntilSilent(tap, "run", after: 4)
    _ = try TrainingRun(configuration(), source: open.source()).start(
      output: folder.file("run"), resuming: true)
    for file in ["checkpoint/model.safetensors", "checkpoint/memory.csv", "ledger"] {
      #expect(try folder.bytes(of: "run/\(file)") == folder.bytes(of: "whole/\(file)"), "\(file)")
    }
  }

  @Test("Pauses of the stream do not change the mini-batches")
  func pausesDoNotChangeTheRun() throws {
    let open = Tap()
    open.close()
    let whole = try TrainingRun(configuration(), source: open.source()).start(output: folder.file("whole"))
    let tap = Tap()
    let feeder = Thread {
      for count in [11, 3, 30, 1, 35] {
        tap.open(count)
        Thread.sleep(forTimeInterval: 0.4)
      }
    }
    feeder.start()
    let paused = try TrainingRun(configuration(), source: tap.source()).start(output: folder.file("run"))
    #expect(paused.stream.examples == 80 && paused.compute == whole.compute)
    #expect(
      try folder.bytes(of: "run/checkpoint/model.safetensors")
        == folder.bytes(of: "whole/checkpoint/model.safetensors"))
  }

  /// The last step before the silence is one after which an evaluation is due, and fails.
  @Test("An evaluation that fails is not repeated during a silence")
  func aFailedEvaluationIsNotRepeated() throws {
    let tap = Tap()
    tap.open(37)
    let stop = StopRequest()
    let calls = Mutex(0)
    let evaluation = IndexedSource("test", count: 8, classNames: ["a", "b"]) { position in
      // The first image is decoded before the training.
      guard
        calls.withLock({
          $0 += 1
          return $0 == 1
        })
      else { throw OnePassError(.io, "The disk is gone.") }
      return Camera.picture(position)
    }
    var failures: [String] = []
    #expect(throws: RunStopped.self) {
      try TrainingRun(
        configuration { $0.data.evaluationInterval = 4 }, source: tap.source(), evaluationSource: evaluation
      ).start(output: folder.file("run"), stop: stop) { event in
        switch event {
        case .notice(let text) where text.contains("failed"): failures.append(text)
        case .step(let report) where report.step == 4:
          Thread {
            Thread.sleep(forTimeInterval: 1.2)
            stop.stop()
          }.start()
        default: break
        }
      }
    }
    #expect(failures.count == 1 && failures[0].contains("after step 4 failed"), "\(failures)")
  }

  /// The evaluation data falls silent before the training, along the stream, or after the training.
  @Test("A run is stopped while its evaluation data is silent, and resumes", arguments: [0, 10, 70])
  func aSilentEvaluationIsStopped(arriving: Int) throws {
    let whole = try TrainingRun(
      configuration(), source: Self.opened().source(), evaluationSource: Self.opened().source(of: 60)
    ).start(output: folder.file("whole"))
    let (tap, stop) = (Tap(), StopRequest())
    tap.open(arriving)
    Thread {
      Thread.sleep(forTimeInterval: 3)
      stop.stop()
    }.start()
    var stopped: RunStopped?
    let start = ContinuousClock.now
    do {
      _ = try TrainingRun(
        configuration(), source: Self.opened().source(), evaluationSource: tap.source(of: 200)
      ).start(output: folder.file("run"), resuming: true, stop: stop)
    } catch let error as RunStopped { stopped = error }
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(stopped?.step == (arriving == 0 ? 0 : 10))
    #expect((stopped?.output == nil) == (arriving == 0))
    let result = try TrainingRun(
      configuration(), source: Self.opened().source(), evaluationSource: Self.opened().source(of: 60)
    ).start(output: folder.file("run"), resuming: true)
    #expect(result.accuracy == whole.accuracy && whole.accuracy?.examples == 60)
    for file in ["checkpoint/model.safetensors", "ledger"] {
      #expect(try folder.bytes(of: "run/\(file)") == folder.bytes(of: "whole/\(file)"), "\(file)")
    }
  }

  /// A stream that is never silent.
  static func opened() -> Tap {
    let tap = Tap()
    tap.close()
    return tap
  }

  @Test("Before the first step nothing is saved, and no folder is left")
  func aStopBeforeTheFirstStepLeavesNothing() throws {
    let tap = Tap()
    tap.open(3)
    let stopped = try trainUntilSilent(tap, "run", after: nil)
    #expect(stopped.step == 0 && stopped.output == nil && !folder.exists("run"))
  }

  /// Reading again what has passed is interrupted, and the checkpoint stays.
  @Test("A silence while the stream is read again leaves the checkpoint as it is")
  func aStopWhileReadingAgainChangesNothing() throws {
    let tap = Tap()
    tap.open(37)
    let first = try trainUntilSilent(tap, "run", after: 4)
    let again = Tap()
    again.open(10)
    let second = try trainUntilSilent(again, "run", after: nil)
    #expect(second.step == first.step && second.output != nil)
    let open = Tap()
    open.close()
    #expect(
      try TrainingRun(configuration(), source: open.source()).start(
        output: folder.file("run"), resuming: true
      ).stream.examples == 80)
  }

  @Test("Errors and the end of a source arrive in their place")
  func errorsArriveInTheirPlace() throws {
    struct Broken: Error {}
    var count = 0
    let failing = SequenceSource("tap", classNames: ["a", "b"]) { () throws -> LabelledImage? in
      count += 1
      if count > 20 { throw Broken() }
      return Camera.picture(count)
    }
    let source = WaitingSource(failing)
    source.begin(stop: nil)
    source.needed = 50
    for expected in 0..<20 { #expect(try source.next()?.id == expected) }
    #expect(throws: Broken.self) { try source.next() }
    let short = WaitingSource(
      SequenceSource("tap", [Camera.picture(1), Camera.picture(2)], classNames: ["a", "b"]))
    short.begin(stop: nil)
    short.needed = 50
    #expect(try (0..<4).map { _ in try short.next()?.id } == [0, 1, nil, nil])
    #expect(short.position == 2)
  }
}
