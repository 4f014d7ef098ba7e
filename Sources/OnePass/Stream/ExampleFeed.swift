import OnePassCore
import OnePassData

/// A rank's part of a mini-batch that was taken from a stream.
struct TakenPart {
  let examples: [Example]
  /// Whether the run has come to its end; nobody has taken anything then.
  var isEnd = false
  /// Whether nothing has arrived for now, and more may come: the same on every rank.
  var isPause = false
}

/// The incoming examples of a run, in the order in which they are trained.
protocol ExampleFeed {
  /// A rank's part of the next `count` examples, of fewer only where a pass ends.
  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart

  /// Goes on after a number of examples that were taken before, all passes together; nothing was taken from this feed.
  /// - Parameter ledger: What passed before, with which a source is compared that has to read it again.
  mutating func resume(after examples: Int, ledger: LedgerFile?) throws

  /// How many examples were taken from their source, or read ahead, and not yet given out.
  var waiting: Int { get }

  /// Has a run that ends early give out all that was taken: from one position on, no more is taken than is given out until
  /// another, at least `waiting` later. Positions count examples from the start of the run.
  mutating func end(at end: Int, from start: Int)

  /// The pass over the data from which `next` took its last examples, counted from 0.
  var pass: Int { get }
}

extension ExampleFeed {
  /// Whoever keeps all examples takes none ahead.
  var waiting: Int { 0 }
  mutating func end(at end: Int, from start: Int) {}

  /// All of the next `count` examples; empty at the end of the run.
  mutating func next(_ count: Int) throws -> [Example] {
    try next(count, for: 0, of: BatchShares(ranks: 1)).examples
  }
}
