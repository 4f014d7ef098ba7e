import OnePassCore
import OnePassData
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

@Suite("The seed of the order") struct OrderSeedTests {
  typealias Change = @Sendable (inout RunConfiguration) -> Void

  /// A run on 60 images in random order; with a shuffle buffer, on a custom stream in a fixed order.
  func run(seed: UInt64, order: UInt64?, _ change: Change = { _ in }) throws -> TrainingRun {
    var configuration = RunConfiguration(data: "synthetic:60:8:4")
    configuration.model.name = "resnet8"
    (configuration.recipe.batchSize, configuration.machine.device) = (16, "cpu")
    (configuration.machine.threads, configuration.machine.decodeThreads) = (1, 1)
    (configuration.seed, configuration.orderSeed) = (seed, order)
    change(&configuration)
    guard configuration.data.shuffleBuffer != nil else { return try TrainingRun(configuration) }
    return try TrainingRun(configuration, source: stream())
  }

  func stream() -> SequenceSource {
    let images = StripedImages(count: 60)
    return SequenceSource("camera", (0..<60).lazy.map(images.labelled), count: 60, classCount: 4)
  }

  /// The images in the order in which a run takes them, over all passes.
  func order(_ run: TrainingRun) throws -> [[UInt8]] {
    var feed = try StreamPreparation(run.stream, run.configuration).feed
    var images: [[UInt8]] = []
    while case let batch = try feed.next(16), !batch.isEmpty { images += batch.map { Array($0.image.bytes) } }
    return images
  }

  func weights(_ run: TrainingRun) throws -> [[Float]] {
    let prepared = try StreamPreparation(run.stream, run.configuration)
    let assembly = try RunAssembly(
      prepared.configuration, run.parts, prepared.plan, prepared.pipeline, prepared.stem, on: .cpu)
    defer { assembly.pool.shutdown() }
    return try assembly.model.parameters.map { try $0.tensor.floats() }
  }

  static let streams: [(name: String, change: Change, examples: Int)] = [
    ("a shuffled source", { _ in }, 60),
    ("a shuffle buffer", { $0.data.shuffleBuffer = .examples(20) }, 60),
    ("multi-epoch training", { ($0.method, $0.epochs) = (.multiEpoch, 3) }, 180),
  ]

  @Test("It changes the order of the stream, and alone decides it", arguments: [0, 1, 2])
  func itDecidesTheOrder(of stream: Int) throws {
    let (name, change, examples) = Self.streams[stream]
    let plain = try order(run(seed: 1, order: nil, change))
    #expect(plain.count == examples, "\(name)")
    #expect(try order(run(seed: 1, order: 2, change)) != plain, "\(name)")
    #expect(try order(run(seed: 5, order: 1, change)) == plain, "\(name)")
    #expect(try order(run(seed: 1, order: 1, change)) == plain, "\(name)")
    #expect(Set(plain) == Set(try order(run(seed: 1, order: 2, change))), "\(name)")
  }

  @Test("Initial weights and insertions do not depend on it")
  func itChangesNothingElse() throws {
    func replay(seed: UInt64, order: UInt64?) throws -> TrainingRun {
      try run(seed: seed, order: order) { ($0.replay.steps, $0.memory.storage) = (2, .examples(12)) }
    }
    let plain = try weights(replay(seed: 1, order: nil))
    #expect(try plain == weights(replay(seed: 1, order: 2)))
    #expect(try plain != weights(replay(seed: 2, order: 1)))
    // Which positions of the stream are kept depends on the seed and the positions, not on the images.
    let first = try replay(seed: 1, order: nil).start()
    let second = try replay(seed: 1, order: 2).start()
    #expect(first.memoryContents?.arrivals == second.memoryContents?.arrivals)
    #expect(first.memory?.insertions == second.memory?.insertions)
    let reseeded = try replay(seed: 2, order: 1).start()
    #expect(first.memoryContents?.arrivals != reseeded.memoryContents?.arrivals)
  }

  @Test("A result states whether a seed orders the stream")
  func aResultStatesWhoOrders() throws {
    #expect(try run(seed: 1, order: nil).start().stream.orderedBySeed == true)
    let buffered = try run(seed: 1, order: 2) { $0.data.shuffleBuffer = .examples(20) }
    #expect(try buffered.start().stream.orderedBySeed == true)
    // A custom stream may or may not use a seed.
    func custom(_ method: Method) throws -> RunResult {
      var configuration = try run(seed: 1, order: nil).configuration
      (configuration.data.source, configuration.method) = ("camera", method)
      if method == .multiEpoch { configuration.epochs = 2 }
      return try TrainingRun(configuration, source: stream()).start()
    }
    #expect(try custom(.naive).stream.orderedBySeed == nil)
    #expect(try custom(.multiEpoch).stream.orderedBySeed == true)
  }

  @Test("It is refused for a stream that no seed orders")
  func itIsRefusedWithoutEffect() throws {
    var configuration = RunConfiguration(data: "camera")
    configuration.orderSeed = 1
    #expect {
      _ = try TrainingRun(configuration, source: stream())
    } throws: {
      "\($0)".hasPrefix("--order-seed has no effect on camera")
    }
    configuration.data.source = "wds:train.tar"
    #expect { try configuration.validate() } throws: {
      "\($0)"
        == "--order-seed has no effect with --data wds:, which keeps the order of its files; omit it, or pass "
        + "--shuffle-buffer N."
    }
    configuration.method = .multiEpoch
    try configuration.validate()
  }
}
