import Foundation
import OnePassCore
import OnePassData

/// An incoming mini-batch, decoded: step 1 of the method.
struct IncomingBatch {
  /// This rank's part, those that could be decoded.
  let images: ImageBatch
  /// All that arrived on all ranks, in the order of the stream.
  let arrivals: [Arrival]
  /// Of these, the ones that could be decoded.
  let whole: [Arrival]
  /// The pass over the data that it belongs to, from 0.
  let pass: Int
  /// Whether several ranks share it.
  let isDivided: Bool

  /// Whether there is nothing to train on: no image could be decoded, or nothing has arrived for now.
  var isEmpty: Bool { whole.isEmpty }

  /// This rank's part as it is trained: each example with weight 1.
  var weighted: WeightedBatch {
    WeightedBatch(
      images: images, totalWeight: isDivided ? Double(whole.count) : nil, isReplayed: pass > 0,
      wantsClasses: true)
  }
}

/// Takes the incoming mini-batches of a run from its feed, one ahead of the training, and counts what arrives.
///
/// Multi-epoch training differs by its feed alone. A source that may block, such as a broker, blocks in `next`.
struct IncomingBatches {
  struct State: Codable {
    var tally = StreamTally.Counts()
    var arrivals = ArrivalLog()
    /// Seconds in which the device waited for images.
    var imageWaitSeconds = 0.0
  }

  private let configuration: RunConfiguration
  private let classes: Int
  private let specification: String
  private let decoder: BatchDecoder
  private let ranks: Ranks
  private var feed: any ExampleFeed
  private(set) var tally: StreamTally
  private(set) var arrivals = ArrivalLog()
  /// Taken from the feed and on its way through the decoder.
  private var upcoming: Taken?
  private var batchesTaken = 0
  /// The number of mini-batches after which the run ends.
  private var end: Int
  private var isOver = false

  /// This rank's part of a mini-batch before it is decoded.
  private struct Taken {
    let examples: [Example]
    let pending: PendingBatch
    let pass: Int
    let time: Date
    let isPause: Bool
  }

  init(
    _ feed: any ExampleFeed, of source: any ExampleSource, _ configuration: RunConfiguration,
    _ plan: TrainingPlan, decoder: BatchDecoder, ranks: Ranks
  ) {
    self.configuration = configuration
    self.decoder = decoder
    self.ranks = ranks
    self.feed = feed
    classes = plan.classes
    specification = source.specification
    end = plan.steps
    tally = StreamTally(brokenLimit: configuration.data.brokenLimit, source: source)
  }

  /// The next mini-batch; `nil` at the end of the run.
  /// - Throws: `OnePassError`: `badData`, `io` if the stream breaks or too many images are broken; `badData` if a label is
  ///   outside the classes.
  mutating func next() throws -> IncomingBatch? {
    guard let taken = try upcoming ?? take() else { return nil }
    upcoming = nil
    let images = try decoder.wait(for: taken.pending)
    upcoming = try take()
    let arrived = try ranks.gather(Arrival.list(taken.examples, decoded: images))
    guard !arrived.isEmpty || taken.isPause else { return nil }
    if !arrived.isEmpty {
      arrivals.note(tally.taken, at: taken.time)
      try tally.record(arrived)
    }
    return IncomingBatch(
      images: images, arrivals: arrived, whole: arrived.filter { $0.problem == nil }, pass: taken.pass,
      isDivided: ranks.count > 1)
  }

  private mutating func take() throws -> Taken? {
    guard !isOver, batchesTaken < end else { return nil }  // What comes after is left to others.
    // They came at this time or later, never earlier.
    let time = try now()
    let part = try feed.next(configuration.recipe.batchSize, for: ranks.rank, of: ranks.shares)
    guard !part.isEnd else {
      isOver = true
      return nil
    }
    if !part.isPause { batchesTaken += 1 }
    for example in part.examples { try checkLabel(of: example, classCount: classes, in: specification) }
    let pending = decoder.submit(
      part.examples, views: part.examples.map { view(of: $0, pass: feed.pass) },
      isStoredFirst: configuration.method == .replay && configuration.step.incomingForm == .stored)
    return Taken(
      examples: part.examples, pending: pending, pass: feed.pass, time: time, isPause: part.isPause)
  }

  /// Centre crops for naive one-pass training, as in the paper; else a random crop and flip, unless asked otherwise.
  private func view(of example: Example, pass: Int) -> ImagePipeline.View {
    switch configuration.method {
    case .naive: .centre
    case .replay where configuration.step.incomingView == .centre: .centre
    case .replay, .multiEpoch: .augmented(seed: configuration.seed, id: example.id, visit: pass)
    }
  }

  // MARK: Time to live

  /// The position before which the time to live of examples is over; `nil` without a time to live.
  func horizon() throws -> Int? {
    switch configuration.memory.timeToLive {
    case .examples(let count): tally.taken - count
    case .seconds(let seconds): arrivals.position(before: try now() - seconds)
    case nil: nil
    }
  }

  /// Now; the first rank's time where time decides what the memory forgets.
  private func now() throws -> Date {
    guard case .seconds = configuration.memory.timeToLive else { return Date() }
    return try ranks.agreedTime()
  }

  // MARK: The end

  /// Examples that were taken from the source, or read ahead, and have not been given out.
  var waiting: Int { feed.waiting }

  /// Ends early, with a cool-down.
  mutating func end(with coolDown: CoolDown) {
    coolDown.end(&feed, batchSize: configuration.recipe.batchSize)
    end = coolDown.lastStep
  }

  func finish() throws { try tally.finish() }

  // MARK: Resuming

  /// Seconds of training in which the device waited for images.
  var imageWaitSeconds: Double { decoder.waitSeconds }

  var state: State {
    State(tally: tally.counts, arrivals: arrivals, imageWaitSeconds: decoder.waitSeconds)
  }

  /// - Parameters:
  ///   - steps: The mini-batches that were trained; the feed stands after them.
  ///   - end: The number of mini-batches after which the run ends.
  mutating func restore(_ state: State, steps: Int, end: Int) {
    tally.counts = state.tally
    arrivals = state.arrivals
    decoder.waitSeconds = state.imageWaitSeconds
    batchesTaken = steps
    self.end = end
  }
}
