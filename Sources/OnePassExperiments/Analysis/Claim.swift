/// A claim of the paper, with the evidence measured here.
package struct Claim: Sendable {
  /// A difference in top-1 between two methods: the paper's, and the measured one.
  package struct Evidence: Sendable {
    /// The two methods: `k = 8, 10 % - naive`.
    package let label: String
    /// The paper's difference in percentage points; `nil` if the paper has none.
    package let paper: Double?
    /// The measured difference in percentage points, paired by seed; `nil` if a run is missing.
    package let measured: PairedComparison?

    init(_ label: String, _ difference: Estimate) {
      self.label = label
      paper = difference.paper
      measured = difference.bySeed.flatMap { PairedComparison(differences: $0) }
    }
  }

  /// The sign that a claim asserts for its differences.
  enum Assertion: Sendable {
    /// Above 0.
    case gain
    /// Slightly below 0.
    case smallLoss
    /// Not above 0.
    case noGain
  }

  /// The section of the paper, and the number of the claim in it.
  package let section: String
  /// The claim as a statement.
  package let sentence: String
  let assertion: Assertion
  /// The differences that the claim is about.
  package let evidence: [Evidence]

  /// The verdict on a difference, from its 95 % confidence interval.
  package func verdict(on evidence: Evidence) -> String {
    guard let measured = evidence.measured else { return "not run" }
    guard let interval = measured.interval else { return "one seed" }
    let isBelowPaper = evidence.paper.map { interval.upperBound < $0 } ?? false
    switch (assertion, measured.verdict) {
    case (_, .singleSeed): return "one seed"
    case (.gain, .higher): return isBelowPaper ? "confirmed, smaller effect" : "confirmed"
    case (.gain, .lower): return "contradicted"
    case (.gain, .notShown): return "not significant"
    case (.smallLoss, .higher): return "significantly higher"
    case (.smallLoss, .lower): return isBelowPaper ? "larger gap" : "significantly lower"
    case (.smallLoss, .notShown): return "no significant difference"
    case (.noGain, .higher): return "contradicted"
    case (.noGain, .lower): return "confirmed"
    case (.noGain, .notShown): return "no significant gain"
    }
  }
}
