extension Tables {
  /// Each ablation against its baseline, the paper's method at the same k and storage, paired by seed.
  static func ablations(_ setting: Setting) -> ResultTable? {
    let pairs = setting.variants.compactMap { variant in
      setting.baseline(of: variant).map { (variant, $0) }
    }
    guard !pairs.isEmpty else { return nil }
    var table = ResultTable(
      "Ablations", of: setting,
      columns: [
        "variant", "#top-1", "#baseline", "#difference (95 % CI)", "#p", "#n", "#storage", "#bytes",
      ])
    for (variant, baseline) in pairs {
      let comparison = variant.comparison(with: baseline)
      table.add([
        variant.title, ResultFigures.accuracy(variant.accuracy), ResultFigures.accuracy(baseline.accuracy),
        ResultFigures.difference(comparison), ResultFigures.pValue(comparison?.pValue),
        ResultFigures.count(comparison), ResultFigures.percent(variant.storage),
        ResultFigures.percent(variant.storageBytes),
      ])
      table.add(
        data: variant.fields + Sample.fields("baseline_accuracy_percent", baseline.accuracy)
          + PairedComparison.fields(comparison))
    }
    table.notes = [
      errorNote(pairs.flatMap { [$0.0, $0.1] }, of: setting)
        + " Baseline: the paper's method with the same k and storage. \(pairedNote)"
    ]
    return table
  }
}
