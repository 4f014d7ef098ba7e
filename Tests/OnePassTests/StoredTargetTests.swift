import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

@Suite("Targets with stored predictions") struct StoredTargetTests {
  static let pipeline = ImagePipeline(size: 12, channels: 1, geometry: .padAndCrop(padding: 2))
  static let images = StripedImages(count: 64)
  static let examples = (0..<64).map { id in
    Example(
      id: id, label: images.label(id),
      image: EncodedImage(bytes: images.pixels(id), encoding: .pixels(width: 12, height: 12, channels: 1)))
  }

  func makeAssembly(_ configuration: RunConfiguration) throws -> RunAssembly {
    var configuration = configuration
    configuration.machine.decodeThreads = 1
    let parts = try MethodParts(&configuration, priority: nil, drawing: nil, evicting: nil, model: nil)
    let plan = try TrainingPlan(configuration, streamExamples: 1_000, classes: 4, classNames: nil)
    return try RunAssembly(configuration, parts, plan, Self.pipeline, .small, on: .cpu)
  }

  /// −Σ q log p is linear in q, and so is the first update. The update towards (1 − w)·label + w·stored is therefore the weighted
  /// mean of the updates towards the label and towards each stored class. Those updates use no stored prediction.
  @Test(
    "An update towards soft targets is the mean of the updates towards each class",
    arguments: [UpdateMode.sequential, .joint])
  func anUpdateIsTheMeanOfThoseTowardsEachClass(updates: UpdateMode) throws {
    let weights: [Float] = (0..<16).map { 0.25 + Float($0 % 5) / 4 }
    func update(_ share: Double, labels: (Int) -> Int, stored: [ItemNote]) throws -> [Float] {
      var configuration = RunConfiguration(data: "test")
      (configuration.model.name, configuration.recipe.batchSize, configuration.memory.storedPredictions) = (
        "resnet8", 16, share
      )
      let learner = try makeAssembly(configuration).makeLearner()
      let examples = Self.examples.prefix(16).map {
        Example(id: $0.id, label: labels($0.label), image: $0.image)
      }
      let pool = DecodePool(pipeline: Self.pipeline, threads: 1)
      defer { pool.shutdown() }
      let batch = try pool.submit(
        examples, views: examples.map { .augmented(seed: 1, id: $0.id, visit: 0) }
      ).wait()
      let before = try learner.model.parameters.flatMap { try $0.tensor.floats() }
      let weighted = WeightedBatch(images: batch, weights: weights, notes: stored)
      if updates == .sequential {
        _ = try learner.train(weighted)
      } else {
        _ = try learner.accumulate(weighted, share: 0.5, isLast: true)
        try learner.update()
      }
      return zip(try learner.model.parameters.flatMap { try $0.tensor.floats() }, before).map { $0 - $1 }
    }
    // 153, 51 and 51 of 255 for the class of the label and the two after it.
    let stored = Self.examples.prefix(16).map {
      StoredPrediction(
        classes: [($0.label + 1) % 4, $0.label, ($0.label + 2) % 4], probabilities: [0.6, 0.2, 0.2]
      ).note
    }
    let mixed = try update(0.4, labels: { $0 }, stored: stored)
    let towards = try (0..<3).map { further in try update(0, labels: { ($0 + further) % 4 }, stored: []) }
    let (label, next, second) = (towards[0], towards[1], towards[2])
    let size = label.map(abs).max() ?? 0
    for (index, value) in mixed.enumerated() {
      let expected = 0.6 * label[index] + 0.4 * (0.2 * label[index] + 0.6 * next[index] + 0.2 * second[index])
      // float32 sums of some hundred terms, relative to the largest.
      #expect(abs(value - expected) < 2e-5 * size, "parameter \(index)")
    }
    #expect(zip(mixed, label).contains { abs($0 - $1) > 0.1 * size })
  }

  /// The memory after 14 steps.
  func memory(_ change: (inout RunConfiguration) -> Void) throws -> ReplayMemory {
    var configuration = RunConfiguration(data: "test")
    (configuration.model.name, configuration.recipe.batchSize, configuration.replay.steps) = (
      "resnet8", 16, 2
    )
    (configuration.memory.storage, configuration.recipe.learningRate) = (.examples(60), 0.05)
    configuration.memory.storedPredictions = 0.3
    change(&configuration)
    let assembly = try makeAssembly(configuration)
    defer { assembly.pool.shutdown() }
    var loop = assembly.makeLoop(
      try assembly.makeLearner(), RepeatedFeed(Self.examples), of: SyntheticSource(1_000))
    for _ in 0..<14 { _ = try loop.step() }
    return try #require(loop.rehearsal?.memory)
  }

  /// The stored probability of the label matches the stored loss: e^(−ℓ), within 1/255.
  func isOfItsLoss(_ item: MemoryItem) throws -> Bool {
    let probability = try #require(item.storedPrediction).distribution(over: 4)[item.label]
    return abs(probability - exp(-item.loss)) < 1 / 255 + 1e-5
  }

  @Test(
    "The stored prediction is that of the last forward pass that trained the item",
    arguments: UpdateMode.allCases)
  func theLastForwardPass(updates: UpdateMode) throws {
    // The same forward passes refresh the loss.
    let refreshed = try memory { ($0.replay.priorityTiming, $0.step.updates) = (.refreshed, updates) }
    #expect(refreshed.items.count { $0.draws > 0 } > 30)
    for item in refreshed.items { #expect(try isOfItsLoss(item), "\(item)") }
    // Here the loss is always that of the arrival.
    let atInsertion = try memory { $0.step.updates = updates }
    for item in atInsertion.items where item.draws == 0 { #expect(try isOfItsLoss(item), "\(item)") }
    #expect(try atInsertion.items.count { try $0.draws > 0 && !isOfItsLoss($0) } > 20)
  }

  @Test("With mixed replays, the stored prediction is that of the arrival")
  func mixedImagesSayNothing() throws {
    let mixed = try memory { $0.recipe.mixing = .cutmix }
    #expect(mixed.items.count { $0.draws > 0 } > 30)
    for item in mixed.items { #expect(try isOfItsLoss(item), "\(item)") }
  }

  @Test("Recorded updates store the same predictions")
  func recordedUpdates() throws {
    let recorded = try memory { ($0.replay.priorityTiming, $0.machine.cudaGraphs) = (.refreshed, true) }
    for item in recorded.items { #expect(try isOfItsLoss(item), "\(item)") }
  }

  @Test("Without stored predictions, no notes are stored")
  func nothingByDefault() throws {
    let plain = try memory { $0.memory.storedPredictions = 0 }
    #expect(plain.noteBytes == 0 && plain.items.allSatisfy { $0.note == nil })
  }
}
