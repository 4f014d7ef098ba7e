import OnePassCore
import OnePassData

/// Several passes over stored data, each in a new random order.
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

  var report: SourceReport { source.report }

  private mutating func shuffle() {
    var generator = SeededGenerator(seed: seed, .epochOrder, pass)
    order = randomOrder(of: source.count, using: &generator)
    position = 0
  }

  mutating func resume(after examples: Int, ledger: LedgerFile?, _ comparison: LedgerComparison) throws {
    guard examples > 0 else { return }
    // As in `next`, a pass remains current until an example of the following one is taken.
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
    return TakenPart(examples: try mine.map { try source.example(at: Int($0)).waiting() }, isEnd: false)
  }
}
