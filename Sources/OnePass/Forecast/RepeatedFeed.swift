import OnePassCore

/// A feed that repeats a few examples with new ids.
struct RepeatedFeed: ExampleFeed {
  /// At least one.
  let examples: [Example]
  /// The size of the second mini-batch, if it differs from the others.
  let secondCount: Int?
  private var taken = 0
  private var batches = 0
  let pass = 0

  init(_ examples: [Example], secondCount: Int? = nil) {
    self.examples = examples
    self.secondCount = secondCount
  }

  mutating func resume(after examples: Int, ledger: LedgerFile?, _ comparison: LedgerComparison) {
    taken = examples
  }

  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) -> TakenPart {
    let count = batches == 1 ? secondCount ?? count : count
    defer { (taken, batches) = (taken + count, batches + 1) }
    let part = (taken..<taken + count).map { id in examples[id % examples.count].with(id: id) }
    return TakenPart(examples: part, isEnd: false)
  }
}
