import OnePassCore
import OnePassData

/// One pass over a stream: each example is taken from the source once.
///
/// The ids of the examples must be 0, 1, 2, …, so that repeated and skipped examples are detected.
struct StreamFeed: ExampleFeed {
  private let stream: RunStream
  private var source: any ExampleSource { stream.source }
  /// Examples that were taken to inspect the stream and have not been delivered yet.
  private var taken: ArraySlice<Example>
  private var left: Int
  private var expectedID = 0
  /// The part of a mini-batch that had arrived when the stream fell silent.
  private var partial: [Example] = []
  /// Whether the examples are kept, and their images are counted there.
  private var isKept = false
  let pass = 0

  init(_ stream: RunStream, alreadyTaken: [Example], limit: Int) {
    self.stream = stream
    taken = alreadyTaken[...]
    left = limit
  }

  init(
    _ source: any ExampleSource, alreadyTaken: [Example], limit: Int, isStrict: Bool = false,
    isKept: Bool = false
  ) {
    self.init(RunStream(source, isStrict: isStrict), alreadyTaken: alreadyTaken, limit: limit)
    self.isKept = isKept
  }

  mutating func resume(after examples: Int, ledger: LedgerFile?, _ comparison: LedgerComparison) throws {
    precondition(
      taken.isEmpty && expectedID == 0, "A feed must be resumed before examples are taken from it.")
    left -= examples
    expectedID = examples
    // A broker's stream is recognised by its messages.
    guard let ledger, stream.live == nil, stream.firstReadable < examples else {
      return try source.restore(position: examples)
    }
    let comparison = source.readsAgainToRestore ? .everyExample : comparison
    let compared = comparison.count(taken: examples - stream.firstReadable, left: left)
    if let source = source as? any RandomAccessSource {
      for index in 0..<compared {
        // Evenly spread, with the last one.
        let position = (index + 1) * examples / compared - 1
        try ledger.check(source.example(at: position), at: position, of: source)
      }
      return try source.restore(position: examples)
    }
    if stream.buffer != nil, comparison == .sample {
      // The delivered examples are not in the order of arrival.
      return try source.restore(position: examples)
    }
    if compared < examples { try source.restore(position: examples - compared) }
    for position in examples - compared..<examples {
      try ledger.check(source.next(), at: position, of: source)
      stream.settle(upTo: position + 1)
    }
  }

  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart {
    let count = min(count, left + partial.count)
    let part = shares.part(of: count, for: rank)
    let place = shares.witness(of: count, for: rank)
    let first = place == 0 ? try takeOne() : nil
    try skip(part.lowerBound - (place == 0 ? 1 : 0))
    do { try take(part.count) } catch is SourcePause {
      return TakenPart(examples: [], isPause: true)
    }
    let examples = partial
    partial = []
    let next = place == part.upperBound ? try takeOne() : nil
    try skip(count - part.upperBound - (place == part.upperBound ? 1 : 0))
    try source.checkReport(isStrict: stream.isStrict)
    return TakenPart(examples: examples, witness: first ?? next, isEnd: count == 0)
  }

  var report: SourceReport { source.report }

  func reportToSave(trained: SourceReport) -> SourceReport {
    // The examples that were read up to now are saved, except by a run that is resumed with the same stream from its start.
    stream.buffer == nil || source.readsAgainToRestore ? trained : source.report
  }

  var waiting: Int {
    taken.count + partial.count + (stream.buffer?.waiting ?? 0) + (stream.waiting?.undelivered.count ?? 0)
  }

  func end(at end: Int, from start: Int) { stream.buffer?.end(at: end, from: start) }

  private mutating func skip(_ count: Int) throws {
    let known = min(count, taken.count)
    taken.removeFirst(known)
    let wanted = min(count, left) - known
    let skipped = known + (wanted > 0 ? try source.skip(wanted) : 0)
    expectedID += skipped
    left = skipped < count ? 0 : left - count
  }

  /// Completes the part of a mini-batch.
  /// - Throws: `SourcePause` if the stream is silent; what has arrived is kept.
  private mutating func take(_ count: Int) throws {
    while partial.count < count {
      if stream.buffer == nil, !isKept { stream.waiting?.needed = max(1, min(count - partial.count, left)) }
      guard let example = try takeOne() else { break }
      partial.append(example)
      stream.delivered?.note(example)
    }
  }

  private mutating func takeOne() throws -> Example? {
    guard left > 0, let example = try taken.popFirst() ?? source.next() else {
      left = 0
      return nil
    }
    guard example.id == expectedID else {
      throw OnePassError.unexpectedExample(example.id, insteadOf: expectedID, from: source.specification)
    }
    expectedID += 1
    left -= 1
    return isKept ? example.uncounted : try example.waiting()
  }
}
