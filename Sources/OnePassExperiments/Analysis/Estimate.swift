/// A top-1 accuracy, or a sum and difference of several: the paper's value and the measured groups of runs.
struct Estimate {
  /// The runs with the same options: what they can be paired with, and their values.
  struct Group {
    let pairing: Pairing
    /// In percent, at least one.
    let values: [Replicate: Double]
  }

  typealias Term = (factor: Double, group: Group)

  /// In percent or percentage points; `nil` if the paper has none.
  let paper: Double?
  /// The groups with their factors, 1 or -1; `nil` if a group has no evaluated run.
  let terms: [Term]?

  /// An accuracy.
  init(paper: Double?, _ variant: Variant?) {
    self.paper = paper
    terms = variant.flatMap { $0.group }.map { [(1, $0)] }
  }

  init(paper: Double?, terms: [Term]?) { (self.paper, self.terms) = (paper, terms) }

  static func - (a: Estimate, b: Estimate) -> Estimate {
    Estimate(
      paper: a.paper.flatMap { first in b.paper.map { first - $0 } },
      terms: a.terms.flatMap { first in b.terms.map { first + $0.map { (-$0.factor, $0.group) } } })
  }

  /// The measured value with its test; `nil` if a group has no evaluated run.
  var comparison: Comparison? {
    guard let terms, let first = terms.first else { return nil }
    let common = terms.dropFirst().reduce(Set(first.group.values.keys)) {
      $0.intersection($1.group.values.keys)
    }
    // Groups without a common seed have no pairs.
    if Set(terms.map(\.group.pairing)).count == 1, !common.isEmpty {
      return Comparison(parts: [Self.sum(terms, common)])
    }
    return Comparison(parts: terms.map { Self.sum([$0], Set($0.group.values.keys)) })
  }

  /// The sum of groups for each of the replicates that they have in common.
  private static func sum(_ terms: [Term], _ common: Set<Replicate>) -> Sample {
    Sample(
      common.sorted().map { replicate in
        terms.reduce(0) { $0 + $1.factor * ($1.group.values[replicate] ?? 0) }
      })
  }
}

extension Variant {
  /// The top-1 accuracies of the evaluated runs, in percent; `nil` without any.
  fileprivate var group: Estimate.Group? {
    let values = accuracyByReplicate
    return values.isEmpty ? nil : .init(pairing: Pairing(configuration), values: values)
  }
}

extension Setting {
  var naiveEstimate: Estimate { Estimate(paper: PaperFigures.naive, naive) }

  func multiEpochEstimate(_ epochs: Int) -> Estimate {
    Estimate(paper: PaperFigures.multiEpoch(epochs), multiEpoch(epochs))
  }

  /// The paper's method with k replay steps and a storage as a share of the stream.
  func estimate(k: Int, storage: Double) -> Estimate {
    Estimate(
      paper: PaperFigures.replay(k: k, storage: storage), prioritised(k: k, storage: storage))
  }
}
