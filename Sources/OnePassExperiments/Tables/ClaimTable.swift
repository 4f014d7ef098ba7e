extension Tables {
  /// The paper's claims, each with the measured differences and a verdict.
  static func claims(_ setting: Setting) -> ResultTable? {
    let claims = Claim.all(in: setting)
    let missing = claims.filter { $0.evidence.allSatisfy { $0.measured == nil } }
    guard missing.count < claims.count else { return nil }
    var table = ResultTable(
      "The paper's claims", of: setting,
      columns: [
        "section", "claim", "difference in top-1", "#paper", "#measured (95 % CI)", "test", "#n", "#p",
        "#p (Holm)", "verdict",
      ])
    for claim in claims {
      for (index, evidence) in claim.evidence.filter({ $0.measured != nil }).enumerated() {
        let verdict = claim.verdict(on: evidence)
        table.add([
          index == 0 ? claim.section : "", index == 0 ? claim.sentence : "", evidence.label,
          ResultFigures.paperPoints(evidence.paper), ResultFigures.difference(evidence.measured),
          ResultFigures.test(evidence.measured), ResultFigures.count(evidence.measured),
          ResultFigures.pValue(evidence.measured?.pValue), ResultFigures.pValue(evidence.corrected), verdict,
        ])
        table.add(
          data: [
            ("section", .text(claim.section)), ("claim", .text(claim.sentence)),
            ("evidence", .text(evidence.label)),
            ("paper_difference", .init(evidence.paper)),
          ] + Comparison.fields(evidence.measured, corrected: evidence.corrected)
            + [("verdict", .text(verdict))])
      }
    }
    table.notes = [
      "Differences in percentage points of top-1. \(testNote) \(holmNote("the differences of each claim")) "
        + "Verdicts: a sign is confirmed or contradicted, and a difference is significant, if p (Holm) is below 0.05. "
        + "\"Excludes the paper's figure\": the whole interval is below it (lower) or above it (higher); the figure counts "
        + "as exact. \(setting.seedNote) \(paperNote)"
    ]
    if !missing.isEmpty {
      table.notes.append(
        "Claims without runs: " + missing.map { "\"\($0.sentence)\"" }.joined(separator: " "))
    }
    return table
  }
}
