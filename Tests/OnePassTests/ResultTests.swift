import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch
import Testing

@testable import OnePass

@Suite struct ResultTests {
  func report(step: Int, of steps: Int, examples: Int, loss: Double, accuracy: Double) -> StepReport {
    StepReport(
      step: step, steps: steps, examplesSeen: 0, examplesTrained: 0, updates: 0, examples: examples,
      loss: loss,
      accuracy: accuracy, learningRate: 0, alpha: 0, memoryItems: 0, memoryBytes: 0, memoryFill: 0, seconds: 0
    )
  }

  @Test func aPointOfTheCurveIsAMeanOverExamples() throws {
    var curve = TrainingCurve()
    // 1,000 steps share a point in pairs.
    curve.record(report(step: 1, of: 1_000, examples: 30, loss: 1, accuracy: 1))
    curve.record(report(step: 2, of: 1_000, examples: 10, loss: 3, accuracy: 0))
    curve.record(report(step: 3, of: 1_000, examples: 5, loss: 2, accuracy: 0.2))
    curve.finish()
    #expect(curve.points.map(\.loss) == [1.5, 2])
    #expect(curve.points.map(\.accuracy) == [0.75, 0.2])
    #expect(curve.points.map(\.examples) == [40, 5])
  }

  @Test func contentsAreCountedByPartOfTheStreamAndByReplays() {
    let draws = [0, 0, 1, 2, 3, 4, 7, 8]
    let items = draws.enumerated().map { index, draws in
      MemoryItem(id: index * 10, label: index % 3, loss: 1, priority: 1, draws: draws, bytes: 5)
    }
    let summary = MemorySummary(items, examplesSeen: 100)
    #expect(summary.arrivals == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0])
    // None; 1; 2 and 3; 4 to 7; 8 to 15.
    #expect(summary.replays.counts == [2, 1, 2, 2, 1])
    #expect(summary.itemsPerClass == [0: 3, 1: 3, 2: 2] && summary.imageBytes == 40)
  }

  /// A record of version 0.1.0, which knew fewer options and one that is gone.
  @Test func aRecordOfAnOlderProgramIsRead() throws {
    var record = try #require(
      JSONSerialization.jsonObject(with: JSONEncoder().encode(RunConfiguration(data: "folder:photos")))
        as? [String: Any])
    record["memoryEncoding"] = nil
    record["drawAhead"] = 0
    record["recencyBias"] = 1.25
    let data = try JSONSerialization.data(withJSONObject: record)
    let read = try JSONDecoder().decode(RunConfiguration.self, from: data)
    var expected = RunConfiguration(data: "folder:photos")
    expected.memory.recencyBias = 1.25
    #expect(read == expected)
  }

  /// Whatever the options are, they come back; and no option is left out.
  @Test func aTitleSaysWhatIsNotThePapers() {
    func title(_ change: (inout RunConfiguration) -> Void) -> String {
      var configuration = RunConfiguration(data: "x")
      change(&configuration)
      return configuration.title
    }
    let paper = "prioritised replay, k = 8, 10% storage"
    #expect(title { _ in } == paper)
    #expect(title { ($0.memory.recencyBias, $0.memory.evicting) = (1e6, .oldest) } == paper + ", window")
    #expect(title { ($0.memory.recencyBias, $0.memory.evicting) = (3, .oldest) } == paper + ", β = 3, evicting oldest")
    #expect(title { $0.memory.recencyBias = 1e9 } == paper + ", all taken in")
    #expect(title { $0.memory.storedPredictions = 0.3 } == paper + ", 0.3 of targets from stored predictions")
    #expect(
      title { ($0.recipe.blurPool, $0.recipe.progressiveResolution) = (true, 0.5) }
        == paper + ", blur pool, images growing from 50% of the side")
    #expect(
      title { ($0.replay.course, $0.recipe.optimiser, $0.augmentation.choice) = (.rising, .muon, .init(policy: .rand)) }
        == paper + ", k rising, rand 0.3, Muon")
  }

  @Test func everyOptionSurvivesItsRecord() throws {
    var written = RunConfiguration(data: "a")
    (written.data.evaluationSource, written.data.limit, written.data.evaluationLimit) = ("b", 1, 2)
    (written.data.classCount, written.data.classNames, written.data.brokenLimit) = (3, ["x", "y", "z"], 0.2)
    written.data.shuffleBuffer = .examples(11)
    written.replay.course = .rising
    (written.model.name, written.model.stem, written.model.imageSize, written.model.channels) = ("resnet8", .small, 16, 1)
    written.model.initialise = "w.safetensors"
    (written.method, written.memory.storage, written.replay.steps) = (.multiEpoch, .examples(9), 4)
    (written.replay.priority, written.replay.smoothing, written.replay.priorityTiming) = (.uniform, .literal, .refreshed)
    (written.replay.importanceWeights, written.memory.recencyBias) = (false, 2)
    (written.memory.drawing, written.memory.evicting, written.memory.encoding) = (.oldest, .fewestReplays, .pixels)
    (written.memory.directory, written.memory.timeToLive, written.data.subjectKey) = ("d", .seconds(90), .field("who"))
    (written.step.updates, written.step.incomingView, written.epochs, written.recipe.batchSize) = (.joint, .centre, 5, 6)
    (written.augmentation.choice, written.augmentation.magnitude) = (.init(policy: .rand, cutsOut: true), 0.4)
    written.augmentation.growth = 3
    (written.memory.imageSize, written.memory.quality, written.step.incomingForm) = (24, 60, .stored)
    (written.recipe.learningRate, written.recipe.momentum, written.recipe.weightDecay, written.seed) = (0.2, 0.3, 0.4, 7)
    (written.recipe.optimiser, written.recipe.muonLearningRate, written.recipe.muonWeightDecay) = (.muon, 0.03, 0.01)
    (written.recipe.weightDecayOn, written.recipe.schedule, written.recipe.warmUp) = (.filters, .trapezoid, 0.1)
    (written.recipe.coolDown, written.recipe.weightAverage, written.recipe.reestimateBatchNorm) = (0.3, 0.99, true)
    (written.recipe.labelSmoothing, written.recipe.mixing, written.recipe.mixingAlpha) = (0.1, .cutmix, 0.5)
    (written.recipe.blurPool, written.recipe.progressiveResolution, written.memory.storedPredictions) = (true, 0.5, 0.3)
    (written.machine.device, written.machine.threads, written.machine.decodeThreads) = ("cpu", 8, 9)
    written.memory.keepPictures = 7
    (written.machine.precision, written.machine.cudaGraphs, written.machine.synchronisedBatchNorm) = (.bfloat16, true, true)
    let data = try JSONEncoder().encode(written)
    #expect(try JSONDecoder().decode(RunConfiguration.self, from: data) == written)
    let keys = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any]).keys
    #expect(keys.count == Mirror(reflecting: written).children.count)
    // An option that has its default here would come back even if its record were never read.
    let defaults = Mirror(reflecting: RunConfiguration(data: "")).children.map { "\($0.value)" }
    for (child, value) in zip(Mirror(reflecting: written).children, defaults) {
      #expect("\(child.value)" != value, "\(child.label ?? "")")
    }
  }
}
