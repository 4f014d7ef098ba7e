import OnePassCore

/// The same few examples again and again, each time as if new ones had come.
struct RepeatedFeed: ExampleFeed {
  /// At least one.
  let examples: [Example]
  private var taken = 0
  let pass = 0

  init(_ examples: [Example]) { self.examples = examples }

  mutating func resume(after examples: Int, ledger: LedgerFile?) { taken = examples }

  mutating func next(_ count: Int, for rank: Int, of shares: BatchShares) -> TakenPart {
    defer { taken += count }
    let part = (taken..<taken + count).map { id in
      let example = examples[id % examples.count]
      return Example(id: id, label: example.label, image: example.image, subject: example.subject)
    }
    return TakenPart(examples: part, isEnd: false)
  }
}
