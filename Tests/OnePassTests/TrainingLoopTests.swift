import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass

/// The loop with a learner without tensors. Its inputs are compared with the paper's formulas, step by step.
@Suite("Training loop") struct TrainingLoopTests {
  /// Records its input. The loss of an example is a function of its position and the number of updates.
  final class NotingLearner: BatchLearner {
    struct Call: Equatable {
      var ids: [Int]
      var weights: [Float]?
      var isReplayed: Bool
      var notes: [ItemNote] = []
      /// `nil` for a separate update.
      var share: Double?
    }

    struct Pass: ForwardPass {
      let values: [Float]
      let labels: [Int]
      let kept: [ItemNote]
      func losses() -> [Float] { values }
      // Correct for every other example.
      func predictions() -> [ClassPrediction] {
        labels.enumerated().map {
          ClassPrediction(label: $0.offset % 2 == 0 ? $0.element : -1, probability: 0.5)
        }
      }
      func notes() -> [ItemNote] { kept }
    }

    var calls: [Call] = []
    var updatesMade = 0
    let learningRate = 0.25
    var coolDown: CoolDown?
    /// The example whose loss is NaN.
    var diverges = false
    /// Whether the memory stores notes.
    var keepsNotes = false

    /// A note with the image and the number of updates before its forward pass.
    static func note(_ id: Int, after updates: Int) -> ItemNote {
      ItemNote([UInt8(id), UInt8(updates)] + Array(repeating: 0, count: 10))
    }

    static func loss(_ id: Int, after updates: Int) -> Float { Float(id % 7) / 2 + Float(updates) / 64 }

    func pass(_ batch: WeightedBatch, share: Double?) -> Pass {
      let ids = batch.images.examples.map(\.id)
      calls.append(
        Call(
          ids: ids, weights: batch.weights, isReplayed: batch.isReplayed, notes: batch.notes, share: share))
      return Pass(
        values: ids.map { diverges ? .nan : Self.loss($0, after: updatesMade) }, labels: batch.images.labels,
        kept: keepsNotes ? ids.map { Self.note($0, after: updatesMade) } : [])
    }

    /// The numbers of classes that were asked for.
    var grown: [Int] = []
    func grow(to classes: Int) { if classes > (grown.last ?? 0) { grown.append(classes) } }

    func train(_ batch: WeightedBatch) -> any ForwardPass {
      defer { updatesMade += 1 }
      return pass(batch, share: nil)
    }

    func accumulate(_ batch: WeightedBatch, share: Double, isLast: Bool) -> any ForwardPass {
      pass(batch, share: share)
    }

    func update() { updatesMade += 1 }
    func isIdle() -> Bool { true }
  }

  static let images = StripedImages(count: 64)
  static let pool = DecodePool(
    pipeline: ImagePipeline(size: 12, channels: 1, geometry: .padAndCrop(padding: 2)), threads: 1)

  /// 64 examples. Those for which `isBroken` returns true have an undecodable image.
  func source(broken isBroken: @escaping (Int) -> Bool = { _ in false }) -> IndexedSource {
    IndexedSource("stripes", count: 64, classCount: 4) { id in
      let image =
        isBroken(id)
        ? EncodedImage(bytes: [1, 2, 3])
        : EncodedImage(bytes: Self.images.pixels(id), encoding: .pixels(width: 12, height: 12, channels: 1))
      return LabelledImage(image, label: Self.images.label(id))
    }
  }

  /// Eight steps of eight examples, with two replays each, from a memory that inserts everything.
  var configuration: RunConfiguration {
    var configuration = RunConfiguration(data: "stripes")
    (configuration.recipe.batchSize, configuration.replay.steps, configuration.memory.storage) = (
      8, 2, .examples(64)
    )
    configuration.data.brokenLimit = 1
    return configuration
  }

  func makeLoop(
    _ learner: NotingLearner, _ configuration: RunConfiguration, _ source: IndexedSource,
    feed: (any ExampleFeed)? = nil
  ) throws -> TrainingLoop {
    var configuration = configuration
    let parts = try MethodParts(&configuration, priority: nil, drawing: nil, evicting: nil, model: nil)
    let plan = try TrainingPlan(configuration, streamExamples: 64, classes: 4, classNames: nil)
    let decoder = BatchDecoder(Self.pool) { true }
    let ranks = Ranks(nil)
    let feed: any ExampleFeed =
      if let feed { feed } else if configuration.method == .multiEpoch {
        EpochFeed(source, epochs: configuration.epochs, seed: configuration.seed)
      } else { StreamFeed(source, alreadyTaken: [], limit: 64) }
    return TrainingLoop(
      incoming: IncomingBatches(feed, of: source, configuration, plan, decoder: decoder, ranks: ranks),
      rehearsal: plan.capacity.map {
        Rehearsal(
          configuration, parts, plan, capacity: $0, images: .inProcess, decoder: decoder, ranks: ranks)
      },
      updates: StepUpdates(learner: learner, mode: configuration.step.updates, peakLearningRate: 0.1),
      position: LoopPosition(configuration, plan), ranks: ranks)
  }

  func run(_ loop: inout TrainingLoop) throws -> [StepRecord] {
    var records: [StepRecord] = []
    while let record = try loop.step() { records.append(record) }
    try loop.finish()
    return records
  }

  @Test(
    "Each incoming mini-batch is trained in stream order, followed by k replays of earlier examples"
  )
  func order() throws {
    let learner = NotingLearner()
    var loop = try makeLoop(learner, configuration, source())
    let records = try run(&loop)
    #expect(records.map(\.step) == Array(1...8))
    let incoming = learner.calls.filter { !$0.isReplayed }
    #expect(incoming.flatMap(\.ids) == Array(0..<64))
    #expect(incoming.allSatisfy { $0.weights == nil && $0.share == nil })
    // The memory is empty at the first draw.
    let replayed = [false] + (1..<8).flatMap { _ in [false, true, true] }
    #expect(learner.calls.map(\.isReplayed) == replayed)
    for (index, call) in learner.calls.enumerated() where call.isReplayed {
      let step = (index - 1) / 3 + 1
      #expect(call.ids.count == 8 && call.ids.allSatisfy { $0 < 8 * step })
    }
    #expect(try loop.step() == nil)
  }

  /// P = 1 − α·e^(−ℓ) with the loss and α of the step that inserted the item; w ∝ 1/P with mean 1 (section 3.2).
  @Test("Priorities are those of eq. 1 at insertion, and importance weights their inverse")
  func prioritiesAndWeights() throws {
    let learner = NotingLearner()
    var loop = try makeLoop(learner, configuration, source())
    _ = try run(&loop)
    func priority(_ id: Int) -> Double {
      let step = id / 8
      // An incoming mini-batch is trained after the updates of the earlier steps: one, then three each.
      let updates = step == 0 ? 0 : 1 + 3 * (step - 1)
      let alpha = 1 - cos(Double.pi / 2 * Double(step) / 8)
      return 1 - alpha * exp(-Double(NotingLearner.loss(id, after: updates)))
    }
    let memory = try #require(loop.rehearsal?.memory)
    #expect(memory.items.map(\.id).sorted() == Array(0..<64))
    for item in memory.items { #expect(abs(Double(item.priority) - priority(item.id)) < 1e-6) }
    for call in learner.calls where call.isReplayed {
      let inverse = call.ids.map { 1 / priority($0) }
      let mean = inverse.reduce(0, +) / Double(inverse.count)
      for (weight, expected) in zip(try #require(call.weights), inverse.map { $0 / mean }) {
        #expect(abs(Double(weight) - expected) < 1e-5)
      }
    }
  }

  @Test("Replayed items have the loss of their last replay, and the others that of their arrival")
  func refreshed() throws {
    let learner = NotingLearner()
    var configuration = configuration
    configuration.replay.priorityTiming = .refreshed
    var loop = try makeLoop(learner, configuration, source())
    _ = try run(&loop)
    var last: [Int: Float] = [:]
    for (updates, call) in learner.calls.enumerated() {
      for id in call.ids { last[id] = NotingLearner.loss(id, after: updates) }
    }
    let memory = try #require(loop.rehearsal?.memory)
    for item in memory.items { #expect(item.loss == last[item.id]) }
    #expect(memory.items.contains { $0.draws > 0 })
  }

  @Test("A replayed image has the note of its last forward pass")
  func notes() throws {
    let learner = NotingLearner()
    learner.keepsNotes = true
    var configuration = configuration
    configuration.memory.storedPredictions = 0.5
    var loop = try makeLoop(learner, configuration, source())
    _ = try run(&loop)
    try #require(learner.calls.count == 1 + 7 * 3)
    var last: [Int: ItemNote] = [:]
    var replays = 0
    for step in 0..<8 {
      // The mini-batches of a step are drawn before any of them is trained.
      let calls = step == 0 ? 0..<1 : 3 * step - 2..<3 * step + 1
      for call in learner.calls[calls] {
        let expected = call.isReplayed ? call.ids.map { last[$0] } : []
        #expect(call.notes == expected, "step \(step)")
        replays += call.notes.count
      }
      for index in calls {
        for id in learner.calls[index].ids { last[id] = NotingLearner.note(id, after: index) }
      }
    }
    #expect(replays == 7 * 16)
    let memory = try #require(loop.rehearsal?.memory)
    #expect(memory.items.allSatisfy { $0.note == last[$0.id] } && memory.count == 64)
  }

  @Test("With joint updates, each mini-batch has an equal share of one update per step")
  func joint() throws {
    let learner = NotingLearner()
    var configuration = configuration
    configuration.step.updates = .joint
    var loop = try makeLoop(learner, configuration, source())
    let records = try run(&loop)
    #expect(learner.updatesMade == 8 && records.compactMap(\.report).map(\.updates) == Array(1...8))
    let third: [Double?] = [1.0 / 3, 1.0 / 3, 1.0 / 3]
    #expect(learner.calls.map(\.share) == [1] + (1..<8).flatMap { _ in third })
  }

  @Test("A report counts the examples taken, trained and stored")
  func reports() throws {
    let learner = NotingLearner()
    var loop = try makeLoop(learner, configuration, source())
    let reports = try run(&loop).compactMap(\.report)
    #expect(reports.map(\.examplesSeen) == (1...8).map { 8 * $0 })
    #expect(reports.map(\.examplesTrained) == (0..<8).map { 8 + 24 * $0 })
    #expect(reports.map(\.updates) == (0..<8).map { 1 + 3 * $0 })
    #expect(reports.map(\.memoryItems) == (1...8).map { 8 * $0 } && reports.map(\.memoryFill).last == 1)
    #expect(reports.allSatisfy { $0.accuracy == 0.5 && $0.learningRate == 0.25 && $0.steps == 8 })
    let expected = (0..<8).map { Double(NotingLearner.loss($0, after: 0)) }.reduce(0, +) / 8
    #expect(abs(reports[0].loss - expected) < 1e-6)
  }

  @Test("Broken images are reported and not trained; a step of broken images alone trains nothing")
  func broken() throws {
    let learner = NotingLearner()
    var loop = try makeLoop(learner, configuration, source { $0 == 3 || (16..<24).contains($0) })
    let records = try run(&loop)
    #expect(records.flatMap(\.arrivals).map(\.id) == Array(0..<64))
    #expect(records[0].report?.examples == 7 && records[2].report == nil)
    let trained = Set(learner.calls.flatMap(\.ids))
    #expect(trained == Set(0..<64).subtracting([3]).subtracting(16..<24))
    #expect(loop.incoming.tally.skipped == 9 && loop.rehearsal?.memory.count == 55)
  }

  @Test(
    "Naive and multi-epoch training replay nothing; passes over the data count as replays of their images")
  func otherMethods() throws {
    var configuration = configuration
    for method in [Method.naive, .multiEpoch] {
      let learner = NotingLearner()
      (configuration.method, configuration.epochs) = (method, 2)
      var loop = try makeLoop(learner, configuration, source())
      let records = try run(&loop)
      let passes = method == .naive ? 1 : 2
      #expect(loop.rehearsal == nil && records.count == 8 * passes)
      #expect(learner.calls.map(\.isReplayed) == (0..<8 * passes).map { $0 >= 8 })
      #expect(records.map(\.isFirstPass) == (0..<8 * passes).map { $0 < 8 })
      for pass in 0..<passes {
        #expect(learner.calls[8 * pass..<8 * pass + 8].flatMap(\.ids).sorted() == Array(0..<64))
      }
    }
  }

  @Test("A loss that is not a finite number ends the run and names the learning rate")
  func divergence() throws {
    let learner = NotingLearner()
    var loop = try makeLoop(learner, configuration, source())
    _ = try loop.step()
    learner.diverges = true
    let error = #expect(throws: OnePassError.self) { try loop.step() }
    #expect(error?.code == .engine && error?.message.contains("--learning-rate (got 0.1)") == true)
  }

  @Test("Requests are answered at the end of their step")
  func requests() throws {
    let learner = NotingLearner()
    var configuration = configuration
    (configuration.recipe.schedule, configuration.recipe.coolDown) = (.onDemand, 0.25)
    var loop = try makeLoop(learner, configuration, source())
    loop.requests = { steps in StepRequests(stop: steps == 2, coolDown: steps == 3, save: steps == 1) }
    let records = try run(&loop)
    #expect(records.map(\.requests.stop) == (1...records.count).map { $0 == 2 })
    #expect(records.map(\.requests.save) == (1...records.count).map { $0 == 1 })
    // After seven updates, the cool-down is a quarter of all: 7 · 0.25 / 0.75 = 2.3 updates, a step of three.
    #expect(records.count == 4 && learner.coolDown?.lastStep == 4)
    #expect(records[2].notice?.hasPrefix("Cooling down over 3 updates") == true)
    #expect(records[2].report?.steps == 4)
  }

  /// A stream with a pause after each mini-batch.
  struct PausingFeed: ExampleFeed {
    var base: StreamFeed
    var isPausing = false
    var pass: Int { base.pass }

    mutating func resume(after examples: Int, ledger: LedgerFile?, _ comparison: LedgerComparison) throws {
      try base.resume(after: examples, ledger: ledger, comparison)
    }

    mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart {
      isPausing.toggle()
      return isPausing
        ? TakenPart(examples: [], isPause: true) : try base.next(count, for: rank, of: shares)
    }
  }

  @Test("While nothing arrives, the loop answers requests and trains nothing")
  func pauses() throws {
    let learner = NotingLearner()
    let source = source()
    let feed = PausingFeed(base: StreamFeed(source, alreadyTaken: [], limit: 64))
    var loop = try makeLoop(learner, configuration, source, feed: feed)
    var asked: [Int] = []
    loop.requests = { steps in
      asked.append(steps)
      return StepRequests(stop: asked.count == 3)
    }
    let records = try run(&loop)
    #expect(records.filter { $0.report == nil }.map(\.step) == Array(0..<8))
    #expect(records.compactMap(\.report).map(\.step) == Array(1...8))
    #expect(records[2].requests.stop && records.flatMap(\.arrivals).map(\.id) == Array(0..<64))
    var other = try makeLoop(NotingLearner(), configuration, self.source())
    #expect(try run(&other).compactMap(\.report).map(\.loss) == records.compactMap(\.report).map(\.loss))
  }
}
