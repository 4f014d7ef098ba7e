/// A sentence of the paper that can be measured, and what was measured here.
package struct Claim: Sendable {
  /// A difference of methods: the paper's, and ours seed by seed.
  package struct Evidence: Sendable {
    package let label: String
    /// In points of top-1.
    package let paper: Double?
    /// In points of top-1; `nil` where a run is missing.
    package let measured: PairedComparison?

    init(_ label: String, _ difference: Estimate) {
      self.label = label
      paper = difference.paper
      measured = difference.bySeed.flatMap { PairedComparison(differences: $0) }
    }
  }

  /// What a claim says of its differences.
  enum Assertion: Sendable {
    /// They are above 0.
    case gain
    /// They are below 0, if only by little.
    case smallLoss
    /// They are not above 0.
    case noGain
  }

  /// Where the paper says it.
  package let section: String
  package let sentence: String
  let assertion: Assertion
  package let evidence: [Evidence]

  /// What the intervals say about each difference.
  package func verdict(on evidence: Evidence) -> String {
    guard let measured = evidence.measured else { return "not run" }
    guard let interval = measured.interval else { return "one seed" }
    let isBelowPaper = evidence.paper.map { interval.upperBound < $0 } ?? false
    switch (assertion, measured.verdict) {
    case (_, .singleSeed): return "one seed"
    case (.gain, .higher): return isBelowPaper ? "holds, smaller" : "holds"
    case (.gain, .lower): return "the opposite"
    case (.gain, .notShown): return "not shown"
    case (.smallLoss, .higher): return "better than claimed"
    case (.smallLoss, .lower): return isBelowPaper ? "further apart" : "below"
    case (.smallLoss, .notShown): return "no difference shown"
    case (.noGain, .higher): return "the opposite"
    case (.noGain, .lower): return "holds"
    case (.noGain, .notShown): return "no gain shown"
    }
  }
}
