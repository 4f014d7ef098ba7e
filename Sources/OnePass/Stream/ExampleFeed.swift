import OnePassCore
import OnePassData

/// A rank's part of a mini-batch from a stream.
struct TakenPart {
  let examples: [Example]
  /// An example of another rank's part, by which ranks with different data notice it; `nil` with one rank.
  var witness: Example?
  /// Whether the stream has ended; no rank has taken an example then.
  var isEnd = false
  /// Whether no example has arrived yet but more may come; the same on every rank.
  var isPause = false
}

/// The incoming examples of a run, in training order.
protocol ExampleFeed {
  /// A rank's part of the next `count` examples; there are fewer only at the end of a pass.
  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart

  /// Resumes after a number of examples, counted over all passes.
  ///
  /// Nothing may have been taken from this feed before.
  /// - Parameters:
  ///   - ledger: The examples that passed before the interruption, if there is a record of them.
  ///   - comparison: How much of the stream is compared with the ledger. A source that must be read again is compared whole.
  /// - Throws: `OnePassError` (`badData`) if the stream is another one.
  mutating func resume(after examples: Int, ledger: LedgerFile?, _ comparison: LedgerComparison) throws

  /// The number of examples that were taken from the source, or read ahead, and not yet delivered.
  var waiting: Int { get }

  /// Makes a run that ends early deliver all examples that were taken from the source.
  ///
  /// From position `start` on, no more examples are taken than can be delivered before position `end`, which is at least
  /// `waiting` later. Positions count examples from the start of the run.
  mutating func end(at end: Int, from start: Int)

  /// What the source has left out and chosen so far.
  var report: SourceReport { get }

  /// The report to restore together with the state that a checkpoint has of the source.
  /// - Parameter trained: The report when the last trained mini-batch had been taken.
  func reportToSave(trained: SourceReport) -> SourceReport

  /// The pass of the examples that `next` delivered last, from 0.
  var pass: Int { get }
}

extension ExampleFeed {
  /// A feed of stored examples takes none in advance.
  var waiting: Int { 0 }
  var report: SourceReport { SourceReport() }
  func reportToSave(trained: SourceReport) -> SourceReport { trained }
  mutating func end(at end: Int, from start: Int) {}

  /// All of the next `count` examples; empty at the end of the run.
  mutating func next(_ count: Int) throws -> [Example] {
    try next(count, for: 0, of: BatchShares(ranks: 1)).examples
  }
}
