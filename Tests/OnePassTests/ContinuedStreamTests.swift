import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass

/// A camera that is never rewound: it delivers pictures 0, 1, 2, … and each of them once.
final class Camera: @unchecked Sendable {
  private(set) var delivered: [Int] = []
  private var next = 0

  /// Passes by without being taken.
  func pass(_ count: Int) { next += count }

  func source(count: Int? = nil) -> SequenceSource {
    var left = count ?? .max
    return SequenceSource("camera", classNames: ["a", "b"]) { [self] in
      guard left > 0 else { return nil }
      left -= 1
      defer { next += 1 }
      delivered.append(next)
      return Self.picture(next)
    }
  }

  static func picture(_ number: Int) -> LabelledImage {
    LabelledImage(
      EncodedImage(
        bytes: noise(number, count: 256), encoding: .pixels(width: 16, height: 16, channels: 1)),
      label: number % 2)
  }
}

@Suite("A run continues with what comes next in a stream") struct ContinuedStreamTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func configuration(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
    var configuration = RunConfiguration.small(on: "camera", replaySteps: 1)
    configuration.recipe.batchSize = 8
    configuration.data.limit = 160
    configuration.memory.storage = .examples(24)
    change(&configuration)
    return configuration
  }

  /// Trains until `stop` steps are done, or to the end.
  @discardableResult
  func train(
    _ source: any ExampleSource, stop: Int? = nil, continuing: Bool = false, resuming: Bool = true,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> (result: RunResult?, notices: [String]) {
    let request = StopRequest()
    var notices: [String] = []
    do {
      let result = try TrainingRun(configuration(change), source: source).start(
        output: folder.file("run"), resuming: resuming, continuing: continuing, stop: request
      ) { event in
        switch event {
        case .notice(let text): notices.append(text)
        case .step(let report) where report.step == stop: request.stop()
        default: break
        }
      }
      #expect(stop == nil)
      return (result, notices)
    } catch is RunStopped {
      #expect(stop != nil)
      return (nil, notices)
    }
  }

  func expectError(_ code: OnePassError.Code, naming parts: [String], _ body: () throws -> Void) {
    #expect {
      try body()
    } throws: { error in
      (error as? OnePassError)?.code == code && parts.allSatisfy { "\(error)".contains($0) }
    }
  }

  /// The numbers of the pictures by position, from the hashes of the ledger.
  func ledger() throws -> [Int] {
    let numbers = Dictionary(
      uniqueKeysWithValues: (0..<400).map { (LedgerEntry.Hash(of: Camera.picture($0).image), $0) })
    let mark = try #require(try RunFiles(folder.file("run")).position().ledger)
    let file = try LedgerFile(path: folder.file("run/ledger"), mark: mark)
    return try (0..<file.count).map { try numbers[file.entry(at: $0).hash] ?? -1 }
  }

  /// Twice, and what was taken ahead at a stop is trained before what comes next.
  @Test("Nothing that was taken is lost, and the gap is recorded")
  func nothingIsLost() throws {
    let camera = Camera()
    try train(camera.source(), stop: 5)
    let before = camera.delivered.count
    #expect(before > 48)
    camera.pass(30)
    let second = try train(camera.source(), stop: 11, continuing: true)
    #expect(
      second.notices.contains {
        $0.hasPrefix(
          "Continuing with what comes next in camera, after 48 examples. The \(before - 48) examples on")
      }, "\(second.notices)")
    camera.pass(7)
    let result = try #require(try train(camera.source(), continuing: true).result)
    #expect(result.stream.examples == 160)
    let gaps = try #require(result.stream.gaps)
    let middle = try #require(gaps.last).position
    #expect(gaps.map(\.source) == ["camera", "camera"] && gaps[0].position == before)
    let expected = Array(0..<before) + (before + 30..<middle + 30) + (middle + 37..<197)
    #expect(try ledger() == expected)
    let pass = try PassVerification(of: folder.file("run"))
    #expect(pass.faults.isEmpty && pass.repeated == 0 && pass.gaps == gaps)
    expectError(.usage, naming: ["continued with another source"]) {
      var pass = pass
      try pass.compare(withData: "folder:x", of: folder.file("run"))
    }
  }

  /// The buffer keeps what it had, so that every picture is trained once.
  @Test("A shuffle buffer keeps its content")
  func aBufferKeepsItsContent() throws {
    let camera = Camera()
    func buffered(_ configuration: inout RunConfiguration) {
      configuration.data.shuffleBuffer = .examples(20)
    }
    try train(camera.source(), stop: 5, buffered)
    camera.pass(40)
    let result = try #require(try train(camera.source(), continuing: true, buffered).result)
    #expect(result.stream.examples == 160 && camera.delivered.count == 160)
    #expect(try ledger().sorted() == camera.delivered)
  }

  /// A run that continued is killed after its next checkpoint: the second source can be read again from its start.
  @Test("After a continuation, the new source is resumed")
  func theNewSourceIsResumed() throws {
    try train(Camera().source(), stop: 5)
    func second() -> SequenceSource {
      let camera = Camera()
      camera.pass(200)
      return camera.source()
    }
    try train(second(), stop: 12, continuing: true)
    let resumed = try train(second())
    #expect(resumed.notices.contains { $0.contains("examples were read again and skipped") })
    let taken = try ledger()
    #expect(taken == Array(0..<taken.firstIndex(of: 200)!) + (200..<200 + 160 - taken.firstIndex(of: 200)!))
    #expect(try RunFiles.result(in: folder.file("run")).stream.gaps?.count == 1)
  }

  /// Stopped before the examples that were kept are trained.
  @Test("Kept examples survive a second stop")
  func keptExamplesSurviveASecondStop() throws {
    let camera = Camera()
    func large(_ configuration: inout RunConfiguration) { configuration.recipe.batchSize = 20 }
    try train(camera.source(), stop: 2, large)
    let before = camera.delivered.count
    camera.pass(50)
    // The first step after the gap is of kept examples.
    try train(camera.source(), stop: 4, continuing: true, large)
    camera.pass(50)
    _ = try train(camera.source(), continuing: true, large)
    let taken = try ledger()
    #expect(taken == camera.delivered && Array(taken.prefix(before)) == Array(0..<before))
  }

  @Test("Other classes are refused, and so are several passes and a missing --resume")
  func whatCannotContinueIsRefused() throws {
    try train(Camera().source(), stop: 5)
    let other = SequenceSource("zoo", [Camera.picture(1)], classNames: ["ant", "b"])
    expectError(.badData, naming: ["class ant is not one of the model's 2 classes"]) {
      try train(other, continuing: true)
    }
    expectError(.usage, naming: ["--continue requires --resume"]) {
      try train(Camera().source(), continuing: true, resuming: false)
    }
  }

  /// Trains a run of its own, with a kept state or from one.
  @discardableResult
  func trainPart(
    _ name: String, of numbers: Range<Int>, extending earlier: String? = nil, keep: Bool = false,
    stop: Int? = nil, resuming: Bool = false, _ change: (inout RunConfiguration) -> Void
  ) throws -> RunResult? {
    let source = IndexedSource("camera", count: numbers.count, classNames: ["a", "b"]) {
      Camera.picture(numbers.lowerBound + $0)
    }
    let request = StopRequest()
    do {
      return try TrainingRun(
        configuration {
          $0.data.limit = nil
          change(&$0)
        }, source: source
      ).start(
        output: folder.file(name), resuming: resuming, extending: earlier.map(folder.file),
        checkpoints: CheckpointPlan(keepsState: keep), stop: request
      ) { if case .step(let report) = $0, report.step == stop { request.stop() } }
    } catch is RunStopped { return nil }
  }

  /// With a constant learning rate and no α, nothing depends on the length of the run, so one run of all pictures is the reference.
  @Test("An extended run equals one over both streams", arguments: [Method.naive, .replay])
  func anExtendedRunEqualsOneOverBoth(method: Method) throws {
    func options(_ configuration: inout RunConfiguration) {
      configuration.recipe.schedule = .constant
      configuration.recipe.weightAverage = 0.9
      configuration.method = method
      if method == .replay {
        configuration.replay.priority = .uniform
      } else {
        (configuration.replay, configuration.memory) = (
          RunConfiguration.defaults.replay, RunConfiguration.defaults.memory
        )
      }
    }
    try trainPart("whole", of: 0..<160, options)
    try trainPart("first", of: 0..<80, keep: true, options)
    #expect(folder.exists("first/state/step-00000010") && !folder.exists("first/unfinished"))
    let before = try folder.bytes(of: "first/checkpoint/model.safetensors")
    // Stopped once, so that an extended run also resumes.
    #expect(try trainPart("second", of: 80..<160, extending: "first", stop: 13, options) == nil)
    let result = try #require(
      try trainPart("second", of: 80..<160, extending: "first", resuming: true, options))
    #expect(result.plan.streamExamples == 160 && result.plan.steps == 20 && result.stream.examples == 160)
    #expect(result.stream.gaps?.map(\.position) == [80])
    for file in ["checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "ledger"] {
      #expect(try folder.bytes(of: "second/\(file)") == folder.bytes(of: "whole/\(file)"), "\(file)")
    }
    if method == .replay {
      #expect(
        try folder.bytes(of: "second/checkpoint/memory.csv")
          == folder.bytes(of: "whole/checkpoint/memory.csv"))
    }
    #expect(try folder.bytes(of: "first/checkpoint/model.safetensors") == before)
    #expect(!folder.exists("second/state"))
  }

  /// 84 and 50 examples in mini-batches of 8 are 11 and 7 steps, and one run over 134 has 17.
  @Test("A last mini-batch that is smaller does not shorten the extension")
  func aSmallLastBatchCounts() throws {
    try trainPart("first", of: 0..<84, keep: true) { _ in }
    let result = try #require(try trainPart("second", of: 84..<134, extending: "first") { _ in })
    #expect(result.stream.examples == 134 && result.plan.steps == 18)
    #expect(try RunFiles(folder.file("second")).position().step == 18)
  }

  @Test("What is forgotten leaves the kept state")
  func forgettingReachesTheKeptState() throws {
    try trainPart("first", of: 0..<80, keep: true) { _ in }
    let items = try MemoryTable(of: RunFiles(folder.file("first"))).items
    let chosen = Array(items.prefix(3).map(\.id))
    let forgotten = try Forgetting(ForgetRequest(positions: Set(chosen)), in: folder.file("first"))
    #expect(forgotten.positions == chosen && forgotten.checkpoints == ["step-00000010", "checkpoint"])
    let state = try StoredRun(folder.file("first"), keptState: true)
    let archive = try #require(state.archive)
    let ids = try archive.ids
    #expect(!ids.contains(where: chosen.contains) && ids.count == items.count - 3)
    #expect(state.points[0].items.count == items.count - 3)
  }

  @Test("A run without a kept state, or an unfinished one, cannot be extended")
  func whatCannotBeExtendedIsRefused() throws {
    try trainPart("first", of: 0..<80) { _ in }
    expectError(.usage, naming: ["has no state to extend", "--keep-state"]) {
      try trainPart("second", of: 80..<160, extending: "first") { _ in }
    }
    try trainPart("open", of: 0..<80, stop: 3) { _ in }
    expectError(.usage, naming: ["is unfinished and cannot be extended"]) {
      try trainPart("second", of: 80..<160, extending: "open") { _ in }
    }
    try trainPart("kept", of: 0..<80, keep: true) { _ in }
    expectError(.usage, naming: ["batch-size 8, not 16"]) {
      try trainPart("second", of: 80..<160, extending: "kept") { $0.recipe.batchSize = 16 }
    }
    #expect(!folder.exists("second"))
  }

  @Test("A class with another position in the new source keeps its label")
  func classesAreMatchedByName() throws {
    try train(Camera().source(), stop: 5)
    let swapped = SequenceSource(
      "mirror", (0..<150).map { LabelledImage(Camera.picture($0 + 200).image, label: 1 - $0 % 2) },
      classNames: ["b", "a"])
    _ = try train(swapped, continuing: true)
    let items = try StoredMemory(of: folder.file("run")).items
    let first = try #require(RunFiles.result(in: folder.file("run")).stream.gaps?.first).position
    let later = items.filter { $0.id >= first }
    #expect(later.count > 5 && later.allSatisfy { $0.label == ($0.id - first) % 2 })
  }
}
