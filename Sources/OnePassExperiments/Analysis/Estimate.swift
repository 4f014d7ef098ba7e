/// A top-1 accuracy, or a difference of two: the paper's value and the measured values by seed.
struct Estimate {
  /// In percent or percentage points; `nil` if the paper has none.
  let paper: Double?
  /// By seed, in percent or percentage points; `nil` if a run is missing.
  let bySeed: [UInt64: Double]?

  /// The difference, paired by seed: only seeds of both operands have one.
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

  /// The paper's method with k replay steps and a storage as a share of the stream.
  func estimate(k: Int, storage: Double) -> Estimate {
    Estimate(
      paper: PaperFigures.replay(k: k, storage: storage),
      bySeed: prioritised(k: k, storage: storage)?.accuracyBySeed)
  }
}
