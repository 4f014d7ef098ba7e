import OnePassCore
import OnePassData

/// A feed whose labels are watched until it is known whether they come in the order of the classes.
struct WatchedFeed: ExampleFeed {
  private var feed: any ExampleFeed
  private var check: ClassOrderCheck?
  private let warn: (String) -> Void
  private let specification: String
  private let isBuffered: Bool

  /// - Parameters:
  ///   - stream: The stream of the feed; one with random access has a random order, which needs no check.
  ///   - isAtStart: Whether nothing has been taken from it before.
  ///   - warn: Called with a sentence.
  init(
    _ feed: any ExampleFeed, of stream: RunStream, isAtStart: Bool, warn: @escaping (String) -> Void
  ) {
    let source = stream.source
    self.feed = feed
    self.warn = warn
    specification = source.specification
    isBuffered = stream.buffer != nil
    check = isAtStart && !(source is any RandomAccessSource) && feed is StreamFeed ? ClassOrderCheck() : nil
  }

  var pass: Int { feed.pass }
  var waiting: Int { feed.waiting }
  mutating func end(at end: Int, from start: Int) { feed.end(at: end, from: start) }

  mutating func resume(after examples: Int, ledger: LedgerFile?) throws {
    try feed.resume(after: examples, ledger: ledger)
  }

  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart {
    let part = try feed.next(count, for: rank, of: shares)
    guard check?.isOver == false else { return part }
    for example in part.examples {
      guard let fact = check?.note(example.label) else { continue }
      let remedy = isBuffered ? "give a larger --shuffle-buffer" : "shuffle it with --shuffle-buffer N"
      warn(
        "\(specification) arrives sorted by class (\(fact)), and a network forgets classes that are over: \(remedy), or "
          + "once for all with onepass pack.")
    }
    return part
  }
}
