extension Tables {
  /// The paper's claims, one by one, and what the runs say.
  static func claims(_ setting: Setting) -> ResultTable? {
    let claims = Claim.all(in: setting)
    let missing = claims.filter { $0.evidence.allSatisfy { $0.measured == nil } }
    guard missing.count < claims.count else { return nil }
    var table = ResultTable(
      "The paper's claims", of: setting,
      columns: ["section", "claim", "difference in top-1", "#paper", "#here (95 %)", "#n", "verdict"])
    for claim in claims {
      for (index, evidence) in claim.evidence.filter({ $0.measured != nil }).enumerated() {
        let verdict = claim.verdict(on: evidence)
        table.add([
          index == 0 ? claim.section : "", index == 0 ? claim.sentence : "", evidence.label,
          ResultFigures.paperPoints(evidence.paper), ResultFigures.difference(evidence.measured),
          ResultFigures.count(evidence.measured), verdict,
        ])
        table.add(
          data: [
            ("section", .text(claim.section)), ("claim", .text(claim.sentence)),
            ("evidence", .text(evidence.label)),
            ("paper_difference", .init(evidence.paper)),
          ] + PairedComparison.fields(evidence.measured) + [("verdict", .text(verdict))])
      }
    }
    table.notes = [
      "Differences in points of top-1, paired by seed, with 95 % intervals by Student's t, not corrected for their number. "
        + "\"Not shown\" and \"no gain shown\": the interval contains 0, so the runs neither show the difference nor rule "
        + "it out. \"Smaller\" and \"further apart\": the whole interval lies below the paper's figure. \(orderNote(setting)) "
        + paperNote
    ]
    if !missing.isEmpty {
      table.notes.append("Not run here: " + missing.map { "\"\($0.sentence)\"" }.joined(separator: " "))
    }
    return table
  }
}
