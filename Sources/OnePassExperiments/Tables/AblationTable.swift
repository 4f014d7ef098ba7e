extension Tables {
  /// Each ablation against its baseline, the paper's method at the same k and storage.
  static func ablations(_ setting: Setting) -> ResultTable? {
    let pairs = setting.variants.compactMap { variant in
      setting.baseline(of: variant).map { (variant, $0) }
    }
    guard !pairs.isEmpty else { return nil }
    var table = ResultTable(
      "Ablations", of: setting,
      columns: [
        "variant", "#top-1", "#baseline", "#difference (95 % CI)", "test", "#n", "#p", "#p (Holm)",
        "#storage",
        "#bytes",
      ])
    let comparisons = pairs.map { $0.comparison(with: $1) }
    let corrected = Holm.adjusted(comparisons.map { $0?.pValue })
    for (index, (variant, baseline)) in pairs.enumerated() {
      let comparison = comparisons[index]
      table.add([
        variant.title, ResultFigures.accuracy(variant.accuracy), ResultFigures.accuracy(baseline.accuracy),
        ResultFigures.difference(comparison), ResultFigures.test(comparison), ResultFigures.count(comparison),
        ResultFigures.pValue(comparison?.pValue), ResultFigures.pValue(corrected[index]),
        ResultFigures.percent(variant.storage), ResultFigures.percent(variant.storageBytes),
      ])
      table.add(
        data: variant.fields + Sample.fields("baseline_accuracy_percent", baseline.accuracy)
          + Comparison.fields(comparison, corrected: corrected[index]))
    }
    table.notes = [
      errorNote(pairs.flatMap { [$0.0, $0.1] }, of: setting)
        + " Baseline: the paper's method with the same k and storage. \(testNote) "
        + holmNote("all rows of this table")
    ]
    return table
  }
}
