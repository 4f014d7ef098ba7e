import Foundation
import OnePassCore
import OnePassData
import TestSupport
import Testing

@testable import OnePass

/// Runs that receive a request to cool down, and that are stopped and resumed meanwhile.
@Suite("Cool-down on request", .serialized) struct CoolDownTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let images = StripedImages(count: 320)

  /// The number of examples taken from a stream that cannot be read again.
  final class Taken {
    var count = 0
  }

  func source(counting taken: Taken = Taken()) -> SequenceSource {
    let stream = (0..<320).lazy.map { position in
      taken.count += 1
      return Self.images.labelled(position)
    }
    return SequenceSource("feed", stream, classCount: 4)
  }

  /// 20 steps of 16 examples. The first step has one update, and all others three: 58 updates, of which 6 are a warm-up.
  var configuration: RunConfiguration {
    var configuration = RunConfiguration.small(on: "feed", replaySteps: 2)
    (configuration.memory.storage, configuration.data.limit) = (.examples(24), 320)
    (configuration.recipe.schedule, configuration.recipe.coolDown, configuration.recipe.warmUp) = (
      .onDemand, 0.25, 0.1
    )
    return configuration
  }

  /// The events of a run.
  struct Story {
    var notices: [String] = []
    var reports: [StepReport] = []
    var result: RunResult?

    /// The learning rate of each step's last update, as a fraction of the peak.
    var rates: [Double] { reports.map { $0.learningRate / 0.05 } }
    func hasNotice(_ text: String) -> Bool { notices.contains { $0.contains(text) } }
  }

  /// - Parameters:
  ///   - asked: The steps after whose report a cool-down is requested. The request is handled in the next step.
  ///   - stopped: The step after whose report a stop is requested.
  func train(
    _ run: String, asked: Set<Int> = [], stopped: Int? = nil, from source: SequenceSource? = nil,
    change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> Story {
    var configuration = configuration
    change(&configuration)
    let stop = StopRequest()
    var story = Story()
    do {
      story.result = try TrainingRun(configuration, source: source ?? self.source())
        .start(output: folder.file(run), resuming: true, stop: stop) { event in
          switch event {
          case .step(let report):
            story.reports.append(report)
            if asked.contains(report.step) { stop.coolDown() }
            if report.step == stopped { stop.stop() }
          case .notice(let text): story.notices.append(text)
          default: break
          }
        }
      #expect(stopped == nil)
    } catch is RunStopped { #expect(stopped != nil) }
    return story
  }

  func expectSame(_ a: String, _ b: String) throws {
    for name in [
      "checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "checkpoint/memory.csv", "ledger",
    ] {
      #expect(try folder.bytes(of: "\(a)/\(name)") == folder.bytes(of: "\(b)/\(name)"), "\(name)")
    }
  }

  /// A request at step 8 is handled in step 9, after 25 updates: 25 · 0.25 / 0.75 = 8.3, which is 8 updates and takes three steps
  /// of three.
  @Test("A run cools down on request and ends")
  func aRunThatIsAskedCoolsDownAndEnds() throws {
    let taken = Taken()
    let story = try train("run", asked: [8, 9, 11], from: source(counting: taken))
    #expect(story.reports.map(\.updates) == (0..<12).map { 1 + 3 * $0 })
    #expect(story.reports.map(\.steps) == Array(repeating: 20, count: 8) + Array(repeating: 12, count: 4))
    let expected = [1.0 / 7, 4.0 / 7, 1, 1, 1, 1, 1, 1, 1, 7.0 / 9, 4.0 / 9, 1.0 / 9]
    #expect(zip(story.rates, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(story.rates)")
    // All examples that were read were trained, and the record counts them.
    #expect(taken.count == 12 * 16)
    let result = try #require(story.result)
    #expect(result.stream.examples == 12 * 16 && result.compute.updates == 34 && result.plan.updates == 58)
    #expect(result.coolDown == CoolDown(stepsBefore: 9, steps: 3, updatesBefore: 25, updates: 9))
    #expect(result.storage.exampleFraction == 24.0 / 192)
    #expect(try RunFiles.result(in: folder.file("run")).coolDown == result.coolDown)
    #expect(
      story.notices.filter { $0.contains("ooling down") } == [
        "Cooling down over 9 updates; the run ends after step 12 of the planned 20."
      ])
    #expect(
      story.hasNotice("The run ended by request after 192 of 320 planned examples"))
    #expect(!story.hasNotice("did not reach 0"))
    #expect(try PassVerification(of: folder.file("run")).faults.isEmpty)
  }

  /// At the request, 160 of 320 examples were yielded, and 99 wait. The 112 examples of seven steps are these and 13 others.
  @Test("A cool-down trains the examples in the shuffle buffer")
  func whatWaitsInAShuffleBufferIsTrained() throws {
    let taken = Taken()
    let story = try train("run", asked: [8], from: source(counting: taken)) {
      $0.data.shuffleBuffer = .examples(100)
    }
    let result = try #require(story.result)
    #expect(taken.count == 17 * 16 && result.stream.examples == 17 * 16)
    #expect(result.coolDown == CoolDown(stepsBefore: 9, steps: 8, updatesBefore: 25, updates: 24))
    #expect(story.rates.last.map { abs($0 - 1 / 24.0) < 1e-12 } == true)
    #expect(try PassVerification(of: folder.file("run")).faults.isEmpty)
  }

  /// Stops together with the request, during the cool-down, and both.
  @Test(
    "A cool-down that is stopped resumes exactly",
    arguments: [[8], [9], [10], [8, 10]],
    [nil, .examples(100), .bytes(ByteCount(9_000))] as [ShuffleBufferSize?])
  func aCoolDownGoesOnExactly(stops: [Int], buffer: ShuffleBufferSize?) throws {
    let whole = try train("whole", asked: [8]) { $0.data.shuffleBuffer = buffer }
    var reports: [StepReport] = []
    for stop in stops {
      reports += try train("parts", asked: [8], stopped: stop) { $0.data.shuffleBuffer = buffer }.reports
    }
    let last = try train("parts") { $0.data.shuffleBuffer = buffer }
    let steps = whole.reports.count
    #expect(
      steps >= 12 && steps < 20 && last.hasNotice("Resuming after step \((stops.last ?? 0) + 1) of \(steps).")
    )
    reports += last.reports
    #expect(reports.map(\.learningRate) == whole.reports.map(\.learningRate))
    #expect(last.result?.coolDown == whole.result?.coolDown && last.result?.coolDown != nil)
    try expectSame("whole", "parts")
  }

  /// After the last step nothing is left to train.
  @Test("A run stopped after its last step takes no more examples")
  func aRunThatWasStoppedAtItsEndTakesNothingMore() throws {
    _ = try train("run", asked: [8], stopped: 11)
    let taken = Taken()
    let last = try train("run", from: source(counting: taken))
    #expect(last.reports.isEmpty && taken.count == 192 && last.result?.stream.examples == 192)
  }

  @Test("Without a request the on-demand schedule is the trapezoid")
  func aRunThatIsNotAskedIsATrapezoid() throws {
    let onDemand = try train("demand")
    let trapezoid = try train("trapezoid") { $0.recipe.schedule = .trapezoid }
    #expect(onDemand.reports.map(\.learningRate) == trapezoid.reports.map(\.learningRate))
    #expect(onDemand.result?.coolDown == nil && onDemand.result?.stream.examples == 320)
    try expectSame("demand", "trapezoid")
  }

  @Test(
    "Other schedules report that they do not cool down on request",
    arguments: LearningRateSchedule.Shape.allCases.filter { $0 != .onDemand })
  func otherSchedulesSayThatTheyCannot(shape: LearningRateSchedule.Shape) throws {
    // A length of the cool-down that is set has no effect with most of these schedules, and would be refused.
    func change(_ run: inout RunConfiguration) {
      run.recipe = RunConfiguration.small(on: "feed", replaySteps: 2).recipe
      (run.recipe.schedule, run.recipe.warmUp) = (shape, 0.1)
    }
    let plain = try train("plain", change: change)
    let asked = try train("asked", asked: [2, 5], change: change)
    let notice = "--schedule \(shape.rawValue) does not cool down on request, and the run continues;"
    #expect(asked.notices.filter { $0.contains(notice) }.count == 1 && !plain.hasNotice(notice))
    #expect(asked.result?.stream.examples == 320 && asked.result?.coolDown == nil)
    try expectSame("plain", "asked")
  }

  /// The reference is a step-by-step count, for every step at which a request is possible.
  @Test(
    "The cool-down has its share of all updates", arguments: ReplayCourse.allCases,
    [UpdateMode.sequential, .joint])
  func aCoolDownIsItsShareOfTheRun(course: ReplayCourse, updates: UpdateMode) throws {
    var configuration = configuration
    (configuration.replay.course, configuration.step.updates, configuration.replay.steps) = (
      course, updates, 3
    )
    let plan = try TrainingPlan(configuration, streamExamples: 320, classes: 4, classNames: nil)
    let ofStep = (0..<20).map { step in
      updates == .joint ? 1 : 1 + course.replays(at: step, of: 20, average: 3)
    }
    #expect(ofStep.reduce(0, +) == plan.updates)
    var (begun, late) = (0, 0)
    for done in 1...20 {
      var end = RunEnd(configuration, plan)
      let made = ofStep.prefix(done).reduce(0, +)
      let notice = end.coolDown(afterStep: done, updates: made, waiting: 0).notice
      guard let coolDown = end.coolDown else {
        // The planned cool-down is a quarter of the updates.
        #expect(Double(made) > 0.75 * Double(plan.updates) - 0.5 && end.steps == 20)
        #expect((notice == nil) == (done == 20))
        if notice != nil { late += 1 }
        continue
      }
      begun += 1
      let wanted = max(1, (Double(made) / 3).rounded())
      let taken = ofStep[done..<coolDown.lastStep].reduce(0, +)
      #expect(coolDown.updates == taken && coolDown.updatesBefore == made && coolDown.stepsBefore == done)
      #expect(Double(taken) >= wanted || coolDown.lastStep == 20)
      #expect(Double(taken - ofStep[coolDown.lastStep - 1]) < wanted)
      let second = end.coolDown(afterStep: done + 1, updates: made + 1, waiting: 0)
      #expect(second.begun == nil && second.notice == nil && end.coolDown == coolDown)
    }
    #expect(begun >= 10 && late >= 1)
  }

  @Test("Ranks exchange their requests")
  func ranksTellEachOtherWhatTheyWereAsked() throws {
    for flags in 0..<8 {
      var outcome = RankOutcome()
      outcome.requests = StepRequests(stop: flags & 1 != 0, coolDown: flags & 2 != 0, save: flags & 4 != 0)
      let read = try #require(try RankOutcome.decode(RankOutcome.encode([outcome]), from: 0).first)
      #expect(read.requests == outcome.requests)
    }
  }
}
