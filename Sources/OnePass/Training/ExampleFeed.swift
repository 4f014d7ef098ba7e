import OnePassCore
import OnePassData

/// A rank's part of a mini-batch that was taken from a stream.
struct TakenPart {
  let examples: [Example]
  /// Whether the run has come to its end; nobody has taken anything then.
  let isEnd: Bool
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

/// One pass over a stream: each example is taken from the source once and never again.
///
/// The ids of the examples have to be 0, 1, 2, …, which proves that none comes twice and none is left out.
struct StreamFeed: ExampleFeed {
  let source: any ExampleSource
  /// Examples that were taken to look at and have not been trained yet.
  private var taken: ArraySlice<Example>
  private var left: Int
  private var expectedID = 0
  let pass = 0

  init(_ source: any ExampleSource, alreadyTaken: [Example], limit: Int) {
    self.source = source
    taken = alreadyTaken[...]
    left = limit
  }

  mutating func resume(after examples: Int, ledger: LedgerFile?) throws {
    precondition(taken.isEmpty && expectedID == 0, "A feed is resumed before anything is taken from it.")
    if let ledger, source.readsAgainToRestore {
      for position in 0..<examples {
        guard let example = try source.next(), LedgerEntry(of: example) == ledger[position] else {
          throw OnePassError(
            .badData,
            "Example \(position) of \(source.specification) is not the one that passed there before: give the same "
              + "stream again, from its start.")
        }
      }
    } else {
      try source.restore(position: examples)
    }
    expectedID = examples
    left -= examples
  }

  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart {
    let count = min(count, left)
    let part = shares.part(of: count, for: rank)
    try skip(part.lowerBound)
    let examples = try take(part.count)
    try skip(count - part.upperBound)
    return TakenPart(examples: examples, isEnd: count == 0)
  }

  var waiting: Int { taken.count + ((source as? ShuffleBuffer)?.waiting ?? 0) }

  func end(at end: Int, from start: Int) { (source as? ShuffleBuffer)?.end(at: end, from: start) }

  private mutating func skip(_ count: Int) throws {
    let known = min(count, taken.count)
    taken.removeFirst(known)
    let wanted = min(count, left) - known
    let skipped = known + (wanted > 0 ? try source.skip(wanted) : 0)
    expectedID += skipped
    left = skipped < count ? 0 : left - count
  }

  private mutating func take(_ count: Int) throws -> [Example] {
    var examples: [Example] = []
    examples.reserveCapacity(count)
    while examples.count < count, left > 0 {
      guard let example = try taken.popFirst() ?? source.next() else {
        left = 0
        break
      }
      guard example.id == expectedID else {
        throw OnePassError(
          .badData,
          "\(source.specification) delivered example \(example.id) where \(expectedID) was due: a source gives each "
            + "example once, in the order of its position.")
      }
      expectedID += 1
      examples.append(example)
      left -= 1
    }
    return examples
  }
}

/// Several passes over data that is all kept, in a new random order each time.
struct EpochFeed: ExampleFeed {
  private let source: any RandomAccessSource
  private let epochs: Int
  private let seed: UInt64
  private(set) var pass = 0
  private var order: [UInt32] = []
  private var position = 0

  init(_ source: any RandomAccessSource, epochs: Int, seed: UInt64) {
    self.source = source
    self.epochs = epochs
    self.seed = seed
    shuffle()
  }

  private mutating func shuffle() {
    var generator = SeededGenerator(seed: seed, .epochOrder, pass)
    order = randomOrder(of: source.count, using: &generator)
    position = 0
  }

  mutating func resume(after examples: Int, ledger: LedgerFile?) throws {
    guard examples > 0 else { return }
    // A pass that is just over is still the current one, as it is in `next`.
    pass = (examples - 1) / source.count
    shuffle()
    position = examples - pass * source.count
  }

  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) throws -> TakenPart {
    if position == order.count {
      guard pass + 1 < epochs else { return TakenPart(examples: [], isEnd: true) }
      pass += 1
      shuffle()
    }
    let end = min(position + count, order.count)
    let part = shares.part(of: end - position, for: rank)
    let mine = order[position + part.lowerBound..<position + part.upperBound]
    position = end
    return TakenPart(examples: try mine.map { try source.example(at: Int($0)) }, isEnd: false)
  }
}
