import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePass

@Suite("Loggers of a run") struct RunLoggerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A run of seven steps on 100 images.
  func run(_ loggers: [any RunLogger], _ change: (inout RunConfiguration) -> Void = { _ in }) throws
    -> [String]
  {
    try StripedImages(count: 100).write(to: folder)
    var configuration = RunConfiguration.small(on: "idx:\(folder.path)", replaySteps: 1)
    change(&configuration)
    var notices: [String] = []
    _ = try TrainingRun(configuration).start(logs: LogPlan(loggers: loggers)) {
      // Runs of tests make few updates.
      if case .notice(let text) = $0, !text.hasPrefix("The run will make only") { notices.append(text) }
    }
    return notices
  }

  final class Recorder: RunLogger {
    let name = "recorder"
    let takesPictures = true
    var points: [LogPoint] = []
    var calls: [String] = []
    var failure: Int?

    func begin(_ run: LoggedRun) { calls.append("begin \(run.stepsDone) of \(run.plan.steps)") }
    func log(_ point: LogPoint) throws {
      calls.append("\(point.step)")
      if point.step == failure { throw OnePassError(.io, "no more") }
      points.append(point)
    }
    func end(_ outcome: RunOutcome) { calls.append("end \(outcome)") }
  }

  @Test("A custom logger receives every step")
  func aLoggerOfOnesOwnSeesEveryStep() throws {
    let recorder = Recorder()
    #expect(try run([recorder]).isEmpty)
    #expect(recorder.calls == ["begin 0 of 7"] + (1...7).map(String.init) + ["end finished"])
    for point in recorder.points {
      let scalars = Dictionary(uniqueKeysWithValues: point.scalars.map { ($0.name, $0.value) })
      // 10 % of 100 images, full after the first step.
      #expect(scalars["memory/items"] == 10 && scalars["memory/fill"] == 1)
      #expect(scalars["progress/examples_seen"] == Double(min(100, 16 * point.step)))
      #expect(point.histograms.allSatisfy { $0.histogram.counts.reduce(0, +) == 10 })
      #expect(point.histograms.count == 3)
      // Eight images in a row and two in the next, of 12 pixels each, with two pixels between.
      #expect(point.pictures.map(\.picture.width) == [8 * 14 - 2])
      #expect(point.pictures.map(\.picture.height) == [2 * 14 - 2])
    }
  }

  @Test("The logged images come from the stream")
  func theImagesOfThePictureAreThoseOfTheStream() throws {
    let recorder = Recorder()
    #expect(try run([recorder]) { $0.memory.storage = .examples(100) }.isEmpty)
    let picture = try #require(recorder.points.first?.pictures.first?.picture)
    let images = StripedImages(count: 100)
    let known = Set((0..<100).map(images.pixels))
    for index in 0..<16 {
      let (top, left) = (index / 8 * 14, index % 8 * 14)
      let tile = (0..<12).flatMap { row in
        (0..<12).map { picture.pixels[(top + row) * picture.width + left + $0] }
      }
      #expect(known.contains(tile), "image \(index)")
    }
  }

  @Test("A logger that fails is dropped, and the run continues")
  func aLoggerThatFailsIsLeftOutAndTheRunGoesOn() throws {
    let (failing, whole) = (Recorder(), Recorder())
    failing.failure = 3
    let notices = try run([failing, whole])
    #expect(notices == ["The run continues without the log recorder: no more"])
    #expect(failing.calls == ["begin 0 of 7", "1", "2", "3"] && whole.points.count == 7)
  }

  @Test("A run with a time to live logs no images")
  func whatMayStayForATimeOnlyIsNotPictured() throws {
    let recorder = Recorder()
    #expect(try run([recorder]) { $0.memory.timeToLive = .examples(50) }.isEmpty)
    #expect(recorder.points.allSatisfy { $0.pictures.isEmpty && !$0.histograms.isEmpty })
  }

  @Test("Lines after the last checkpoint are written again on resuming")
  func linesBeyondTheCheckpointAreCutOffAndWrittenAgain() throws {
    let plan = try TrainingPlan(
      RunConfiguration(data: "x"), streamExamples: 100, classes: 2, classNames: nil)
    func write(_ steps: ClosedRange<Int>, after stepsDone: Int) throws {
      let logger = JSONLinesLogger(path: folder.file("metrics.jsonl"))
      try logger.begin(
        LoggedRun(configuration: RunConfiguration(data: "x"), plan: plan, stepsDone: stepsDone))
      for step in steps {
        var point = LogPoint(step: step, time: Date(timeIntervalSince1970: 0.5))
        point.scalars = [("loss/incoming", 1 / Double(step))]
        try logger.log(point)
      }
    }
    try write(1...4, after: 0)
    let whole = try folder.bytes(of: "metrics.jsonl")
    let first = whole.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }[0]
    #expect(first == #"{"loss/incoming":1,"step":1,"time":0.5}"#)
    // The process was killed within a line, or the disk lost part of it.
    for tail in ["", #"{"loss/incoming":0.2,"st"#, "\0\0\0\n", "{}\n"] {
      for step in 1...4 {
        try folder.write(whole + Array(tail.utf8), to: "metrics.jsonl")
        try write(min(step + 1, 4)...4, after: min(step, 3))
        #expect(try folder.bytes(of: "metrics.jsonl") == whole, "\(tail) \(step)")
      }
    }
    // A new run replaces the existing file.
    try write(1...4, after: 0)
    #expect(try folder.bytes(of: "metrics.jsonl") == whole)
  }

  /// A run that is interrupted after its evaluation was logged evaluates again.
  @Test("The evaluation is logged before the run is finished, and once where it is repeated")
  func theEvaluationIsLoggedBeforeTheEnd() throws {
    final class Witness: RunLogger {
      let name = "witness"
      let output: String
      var wasFinished: Bool?
      var wasDurable = false
      init(_ output: String) { self.output = output }
      func log(_ point: LogPoint) {
        guard point.scalars.contains(where: { $0.name == "evaluation/top1" }) else { return }
        wasFinished = FileManager.default.fileExists(atPath: "\(output)/result.json")
        wasDurable = false
      }
      func makeDurable() { wasDurable = true }
    }
    let images = StripedImages(count: 100)
    try images.write(to: folder)
    try images.write(to: folder, prefix: "t10k")
    var configuration = RunConfiguration.small(on: "idx:\(folder.path)", replaySteps: 1)
    configuration.data.evaluationSource = "idx:\(folder.path):test"
    let witness = Witness(folder.file("run"))
    _ = try TrainingRun(configuration).start(
      output: folder.file("run"), logs: LogPlan(loggers: [witness]))
    #expect(witness.wasFinished == false && witness.wasDurable && folder.exists("run/result.json"))

    let plan = try TrainingPlan(
      RunConfiguration(data: "x"), streamExamples: 100, classes: 2, classNames: nil)
    func lines(isTrained: Bool) throws -> [String] {
      let logger = JSONLinesLogger(path: folder.file("metrics.jsonl"))
      var run = LoggedRun(configuration: configuration, plan: plan, stepsDone: isTrained ? 3 : 0)
      run.isTrained = isTrained
      try logger.begin(run)
      var points: [LogPoint] = []
      for step in isTrained ? [] : [1, 2, 3] {
        points.append(LogPoint(step: step, time: Date(timeIntervalSince1970: 0.5)))
        points[points.count - 1].scalars = [("loss/incoming", 2)]
      }
      points.append(LogPoint(step: 3, time: Date(timeIntervalSince1970: isTrained ? 9 : 1)))
      points[points.count - 1].scalars = [("evaluation/top1", 0.5)]
      for point in points { try logger.log(point) }
      return try String(decoding: folder.bytes(of: "metrics.jsonl"), as: UTF8.self)
        .split(separator: "\n").map(String.init)
    }
    let (first, second) = try (lines(isTrained: false), lines(isTrained: true))
    #expect(first.count == 4 && second.count == 4 && second.dropLast() == first.dropLast())
    #expect(second.last == #"{"evaluation/top1":0.5,"step":3,"time":9}"#)
  }

  @Test("Kinds of logs are the same after parsing and printing")
  func kindsAreReadAsTheyAreWritten() throws {
    func kinds(_ texts: String...) throws -> [LogKind]? { try LogPlan.destinations(texts) as? [LogKind] }
    #expect(try kinds() == nil && kinds("none") == [])
    #expect(try kinds("jsonl", "tensorboard:no-pictures") == [.jsonLines, .tensorBoard(pictures: false)])
    #expect(try kinds("tensorboard:pictures") == [.tensorBoard(pictures: true)])
    for (texts, sentence) in [
      (["csv"], "--log csv is unknown"), (["none", "jsonl"], "--log none cannot be combined"),
      (["tensorboard", "tensorboard:no-pictures"], "repeats a destination"),
    ] {
      #expect {
        try LogPlan.destinations(texts)
      } throws: { ($0 as? OnePassError)?.code == .usage && "\($0)".contains(sentence) }
    }
  }
}
