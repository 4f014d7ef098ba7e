/// A figure of top-1, or a difference of such figures: the paper's beside ours, seed by seed.
struct Estimate {
  /// In percent, or points; `nil` where the paper has none.
  let paper: Double?
  /// For each seed, in percent or points; `nil` where a run is missing.
  let bySeed: [UInt64: Double]?

  /// Ours are paired: a difference is there for the seeds that both have.
  static func - (a: Estimate, b: Estimate) -> Estimate {
    var differences: [UInt64: Double]?
    if let first = a.bySeed, let second = b.bySeed {
      differences = first.reduce(into: [:]) { differences, entry in
        if let other = second[entry.key] { differences[entry.key] = entry.value - other }
      }
    }
    return Estimate(paper: a.paper.flatMap { first in b.paper.map { first - $0 } }, bySeed: differences)
  }
}

extension Setting {
  var naiveEstimate: Estimate { Estimate(paper: PaperFigures.naive, bySeed: naive?.accuracyBySeed) }

  func multiEpochEstimate(_ epochs: Int) -> Estimate {
    Estimate(paper: PaperFigures.multiEpoch(epochs), bySeed: multiEpoch(epochs)?.accuracyBySeed)
  }

  /// The paper's method with k and a share of the stream.
  func estimate(k: Int, storage: Double) -> Estimate {
    Estimate(
      paper: PaperFigures.replay(k: k, storage: storage),
      bySeed: prioritised(k: k, storage: storage)?.accuracyBySeed)
  }
}
