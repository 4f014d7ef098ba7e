import Foundation
import OnePassCore
import OnePassData

/// Reads the incoming mini-batches of a run from its feed, one ahead of the training, and counts arrivals.
///
/// Multi-epoch training differs only in its feed. A source that may block, such as a broker, blocks in `next`.
struct IncomingBatches {
  struct State: Codable {
    var tally = StreamTally.Counts()
    var arrivals = ArrivalLog()
    /// Device idle time (seconds) while images were decoded.
    var imageWaitSeconds = 0.0
    /// What the source had left out and chosen; `nil` in checkpoints of earlier versions.
    var report: SourceReport?
    /// The peaks of mini-batches in flight; `nil` in checkpoints of earlier versions.
    var batchBytes: BatchBytes?
    /// The classes found in the stream; `nil` if they were known ahead.
    var classes: [RunClasses.Found]?
  }

  private let configuration: RunConfiguration
  private(set) var classes: RunClasses
  private let source: any ExampleSource
  private let decoder: BatchDecoder
  private let ranks: Ranks
  private var feed: any ExampleFeed
  private(set) var tally: StreamTally
  private var expiry: Expiry
  /// Read from the feed, and being decoded.
  private var upcoming: Taken?
  private var batchesTaken = 0
  /// The number of mini-batches after which the run ends.
  private var end: Int
  private var isOver = false
  /// What the source had left out and chosen when the current mini-batch was taken.
  private var trainedReport = SourceReport()

  /// This rank's part of a mini-batch while it is decoded.
  private struct Taken {
    let examples: [Example]
    let pending: PendingBatch
    let pass: Int
    let time: Date
    let isPause: Bool
    let witness: Example?
    let report: SourceReport
  }

  init(
    _ feed: any ExampleFeed, of source: any ExampleSource, _ configuration: RunConfiguration,
    _ plan: TrainingPlan, decoder: BatchDecoder, ranks: Ranks
  ) {
    self.configuration = configuration
    self.decoder = decoder
    self.ranks = ranks
    self.feed = feed
    classes = RunClasses(plan, of: source)
    self.source = source
    expiry = Expiry(configuration.memory.timeToLive, ranks: ranks)
    end = plan.steps
    tally = StreamTally(brokenLimit: configuration.data.brokenLimit, source: source)
  }

  /// The next mini-batch; `nil` at the end of the run.
  /// - Throws: `OnePassError`: `badData` or `io` if the stream fails, `badData` if too many images are broken, a label is
  ///   outside the classes, or there are too many classes.
  mutating func next() throws -> IncomingBatch? {
    guard let taken = try upcoming ?? take() else { return nil }
    upcoming = nil
    trainedReport = taken.report
    var images = try decoder.wait(for: taken.pending)
    upcoming = try take()
    var arrived = try ranks.gather(Arrival.list(taken.examples, decoded: images))
    try ranks.compare(taken.witness, with: arrived)
    if classes.isOpen {
      arrived = try classes.labelled(arrived, names: source.classNames)
      let labels = Dictionary(arrived.map { ($0.id, $0.label) }) { first, _ in first }
      images = images.labelled { labels[$0] ?? -1 }
    }
    guard !arrived.isEmpty || taken.isPause else { return nil }
    if !arrived.isEmpty {
      expiry.arrivals.note(tally.taken, at: taken.time)
      try tally.record(arrived)
    }
    return IncomingBatch(
      images: images, arrivals: arrived, whole: arrived.filter { $0.problem == nil }, pass: taken.pass,
      isDivided: ranks.count > 1)
  }

  private mutating func take() throws -> Taken? {
    // Examples after the last step stay in the source.
    guard !isOver, batchesTaken < end else { return nil }
    // Read before `next`, so that no example is older than its recorded time.
    let time = try expiry.now()
    let part = try feed.next(configuration.recipe.batchSize, for: ranks.rank, of: ranks.shares)
    guard !part.isEnd else {
      isOver = true
      return nil
    }
    if !part.isPause { batchesTaken += 1 }
    for example in part.examples { try classes.check(example) }
    let pending = decoder.submit(
      part.examples, views: part.examples.map { view(of: $0, pass: feed.pass) },
      isStoredFirst: configuration.method == .replay && configuration.step.incomingForm == .stored)
    return Taken(
      examples: part.examples, pending: pending, pass: feed.pass, time: time, isPause: part.isPause,
      witness: part.witness, report: feed.report)
  }

  /// Centre crops for naive one-pass training, as in the paper. Otherwise a random crop and flip, unless configured differently.
  private func view(of example: Example, pass: Int) -> ImagePipeline.View {
    switch configuration.method {
    case .naive: .centre
    case .replay where configuration.step.incomingView == .centre: .centre
    case .replay, .multiEpoch: .augmented(seed: configuration.seed, id: example.id, visit: pass)
    }
  }

  /// The position before which all examples have expired; `nil` without a time to live.
  func horizon() throws -> Int? { try expiry.horizon(taken: tally.taken) }

  // MARK: The end

  /// The number of examples read from the source, or in its read-ahead, that have not been yielded.
  var waiting: Int { feed.waiting }

  /// Ends the stream early, after a cool-down.
  mutating func end(with coolDown: CoolDown) {
    coolDown.end(&feed, batchSize: configuration.recipe.batchSize)
    end = coolDown.lastStep
  }

  func finish() throws { try tally.finish() }

  /// What the source has left out and chosen so far, also in a mini-batch that was taken ahead.
  var report: SourceReport { feed.report }

  // MARK: Resuming

  /// Device idle time (seconds) while images were decoded.
  var imageWaitSeconds: Double { decoder.waitSeconds }

  var state: State {
    State(
      tally: tally.counts, arrivals: expiry.arrivals, imageWaitSeconds: decoder.waitSeconds,
      report: feed.reportToSave(trained: trainedReport), batchBytes: decoder.pool.peakBytes,
      classes: classes.isOpen ? classes.found : nil)
  }

  /// - Parameters:
  ///   - steps: The number of trained mini-batches. The feed is positioned after them.
  ///   - end: The number of mini-batches after which the run ends.
  mutating func restore(_ state: State, steps: Int, end: Int) {
    tally.counts = state.tally
    expiry.arrivals = state.arrivals
    decoder.waitSeconds = state.imageWaitSeconds
    trainedReport = state.report ?? SourceReport()
    if let peak = state.batchBytes { decoder.pool.include(peak: peak) }
    if let found = state.classes { classes.restore(found) }
    batchesTaken = steps
    self.end = end
  }
}
