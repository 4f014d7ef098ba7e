import OnePass

extension Tables {
  /// Each variant of another recipe against the paper's recipe, with the same method and with the paper's method.
  static func recipe(_ setting: Setting) -> ResultTable? {
    func variant(_ configuration: RunConfiguration) -> Variant? {
      setting.paperRecipe.first { $0.configuration == configuration }
    }
    let rows = setting.variants.map { changed in
      (
        changed: changed, sameMethod: variant(changed.configuration.withPaperRecipe),
        paper: variant(changed.configuration.asInThePaper)
      )
    }.filter { $0.sameMethod != nil || $0.paper != nil }
    guard !rows.isEmpty else { return nil }
    var table = ResultTable(
      "Comparison with the paper's recipe", of: setting,
      columns: [
        "variant", "#top-1", "#same method, paper's recipe", "#difference (95 % CI)", "#p",
        "#paper's method and recipe", "#difference (95 % CI)", "#p", "#n",
      ])
    for row in rows {
      let fromRecipe = row.sameMethod.flatMap { row.changed.comparison(with: $0) }
      let fromBoth = row.paper.flatMap { row.changed.comparison(with: $0) }
      table.add([
        row.changed.title, ResultFigures.accuracy(row.changed.accuracy),
        ResultFigures.accuracy(row.sameMethod?.accuracy), ResultFigures.difference(fromRecipe),
        ResultFigures.pValue(fromRecipe?.pValue), ResultFigures.accuracy(row.paper?.accuracy),
        ResultFigures.difference(fromBoth), ResultFigures.pValue(fromBoth?.pValue),
        ResultFigures.count(fromBoth ?? fromRecipe),
      ])
      table.add(
        data: row.changed.fields + Sample.fields("paper_recipe_accuracy_percent", row.sameMethod?.accuracy)
          + PairedComparison.fields(fromRecipe)
          + Sample.fields("paper_accuracy_percent", row.paper?.accuracy)
          + PairedComparison.fields(fromBoth).map { ("paper_\($0.name)", $0.value) })
    }
    table.notes = [
      errorNote(rows.map(\.changed), of: setting)
        + " \(pairedNote) For multi-epoch training, the paper's method is the same number of passes."
    ]
    return table
  }
}
