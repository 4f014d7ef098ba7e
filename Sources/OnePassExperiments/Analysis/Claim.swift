/// A claim of the paper, with the evidence measured here.
package struct Claim: Sendable {
  /// A difference in top-1 between two methods: the paper's, and the measured one.
  package struct Evidence: Sendable {
    /// The two methods: `k = 8, 10 % - naive`.
    package let label: String
    /// The paper's difference in percentage points; `nil` if the paper has none.
    package let paper: Double?
    /// The measured difference in percentage points; `nil` if a run is missing.
    package let measured: Comparison?
    /// The p-value after Holm's correction for all differences of the claim; `nil` without a p-value.
    package fileprivate(set) var corrected: Double?

    init(_ label: String, _ difference: Estimate) {
      self.label = label
      paper = difference.paper
      measured = difference.comparison
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

  init(section: String, sentence: String, assertion: Assertion, evidence: [Evidence]) {
    (self.section, self.sentence, self.assertion) = (section, sentence, assertion)
    self.evidence = zip(evidence, Holm.adjusted(evidence.map(\.measured?.pValue))).map { evidence, p in
      var evidence = evidence
      evidence.corrected = p
      return evidence
    }
  }

  /// The verdict on a difference: its sign, after Holm's correction, and whether its interval excludes the paper's figure.
  package func verdict(on evidence: Evidence) -> String {
    guard let measured = evidence.measured else { return "not run" }
    let verdict = measured.verdict(corrected: evidence.corrected)
    guard verdict != .singleSeed, let interval = measured.interval else { return "one seed" }
    let side = evidence.paper.flatMap { paper in
      interval.upperBound < paper ? "lower" : interval.lowerBound > paper ? "higher" : nil
    }
    return text(of: verdict) + (side.map { "; excludes the paper's figure (\($0))" } ?? "")
  }

  private func text(of verdict: Comparison.Verdict) -> String {
    switch (assertion, verdict) {
    case (_, .singleSeed): "one seed"
    case (_, .notShownInFamily): "not significant after Holm's correction"
    case (.gain, .higher): "sign confirmed"
    case (.gain, .lower), (.noGain, .higher): "contradicted"
    case (.gain, .notShown): "not significant"
    case (.smallLoss, .higher): "significantly higher"
    case (.smallLoss, .lower): "significantly lower"
    case (.smallLoss, .notShown): "no significant difference"
    case (.noGain, .lower): "confirmed: significantly lower"
    case (.noGain, .notShown): "no significant gain"
    }
  }
}
