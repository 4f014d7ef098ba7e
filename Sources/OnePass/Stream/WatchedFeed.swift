import OnePassCore
import OnePassData

/// A feed that warns of a stream sorted by class, from its first labels, and of entries that its source leaves out.
struct WatchedFeed: ExampleFeed {
  private var feed: any ExampleFeed
  private var check: ClassOrderCheck?
  private let warn: (String) -> Void
  private let specification: String
  private let isBuffered: Bool
  private let notices: ReportNotices
  private let arrivals: ArrivalWatch?

  /// - Parameters:
  ///   - stream: The stream of the feed. One with random access is in random order and needs no check.
  ///   - isAtStart: Whether nothing has been taken from it before.
  ///   - notices: Receives the report of the source.
  ///   - arrivals: Is notified while the feed waits for its source.
  ///   - warn: Called with the text of a warning.
  init(
    _ feed: any ExampleFeed, of stream: RunStream, isAtStart: Bool, notices: ReportNotices,
    arrivals: ArrivalWatch?, warn: @escaping (String) -> Void
  ) {
    self.notices = notices
    self.arrivals = arrivals
    let source = stream.source
    self.feed = feed
    self.warn = warn
    specification = source.specification
    isBuffered = stream.buffer != nil
    check = isAtStart && !(source is any RandomAccessSource) && feed is StreamFeed ? ClassOrderCheck() : nil
  }

  var pass: Int { feed.pass }
  var report: SourceReport { feed.report }
  func reportToSave(trained: SourceReport) -> SourceReport { feed.reportToSave(trained: trained) }
  var waiting: Int { feed.waiting }
  mutating func end(at end: Int, from start: Int) { feed.end(at: end, from: start) }

  mutating func resume(after examples: Int, ledger: LedgerFile?, _ comparison: LedgerComparison) throws {
    try feed.resume(after: examples, ledger: ledger, comparison)
  }

  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart {
    let part = try take(count, for: rank, of: shares)
    notices.update(feed.report)
    guard check?.isOver == false else { return part }
    for example in part.examples {
      guard let fact = check?.note(example.label) else { continue }
      let remedy = isBuffered ? "pass a larger --shuffle-buffer" : "pass --shuffle-buffer N"
      warn(
        "\(specification) arrives sorted by class (\(fact)), so the network will forget earlier classes; \(remedy), or "
          + "shuffle the data once with `onepass pack`.")
    }
    return part
  }

  private mutating func take(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart {
    guard let arrivals else { return try feed.next(count, for: rank, of: shares) }
    return try arrivals.watching(specification, isPause: \.isPause) {
      try feed.next(count, for: rank, of: shares)
    }
  }
}
