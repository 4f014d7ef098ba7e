import OnePass

extension Tables {
  /// Each variant of another recipe against the paper's recipe, with the same method and with the paper's method.
  static func recipe(_ setting: Setting) -> ResultTable? {
    let rows = setting.variants.map { RecipeRow($0, of: setting) }.filter {
      $0.sameMethod != nil || $0.paper != nil
    }
    guard !rows.isEmpty else { return nil }
    var table = ResultTable(
      "Comparison with the paper's recipe", of: setting,
      columns: [
        "variant", "#top-1", "compared with", "#its top-1", "#difference (95 % CI)", "test", "#n", "#p",
        "#p (Holm)",
      ])
    let fromRecipe = Holm.adjusted(rows.map { $0.fromRecipe?.pValue })
    let fromBoth = Holm.adjusted(rows.map { $0.fromBoth?.pValue })
    for (index, row) in rows.enumerated() {
      var title = [row.changed.title, ResultFigures.accuracy(row.changed.accuracy)]
      func add(_ name: String, _ other: Variant?, _ comparison: Comparison?, _ corrected: Double?) {
        guard let other else { return }
        table.add(
          title + [
            name, ResultFigures.accuracy(other.accuracy), ResultFigures.difference(comparison),
            ResultFigures.test(comparison), ResultFigures.count(comparison),
            ResultFigures.pValue(comparison?.pValue), ResultFigures.pValue(corrected),
          ])
        title = ["", ""]
      }
      add("same method, paper's recipe", row.sameMethod, row.fromRecipe, fromRecipe[index])
      add("paper's method and recipe", row.paper, row.fromBoth, fromBoth[index])
      table.add(
        data: row.changed.fields + Sample.fields("paper_recipe_accuracy_percent", row.sameMethod?.accuracy)
          + Comparison.fields(row.fromRecipe, corrected: fromRecipe[index])
          + Sample.fields("paper_accuracy_percent", row.paper?.accuracy)
          + Comparison.fields(row.fromBoth, corrected: fromBoth[index]).map { ("paper_\($0.name)", $0.value) }
      )
    }
    table.notes = [
      errorNote(rows.map(\.changed), of: setting)
        + " \(testNote) \(holmNote("all rows that are compared with the same method, and separately for the others")) "
        + "For multi-epoch training, the paper's method is the same number of passes."
    ]
    return table
  }
}

/// A variant of another recipe, and what it is compared with.
private struct RecipeRow {
  let changed: Variant
  /// The same method with the paper's recipe.
  let sameMethod: Variant?
  /// The paper's method with the paper's recipe.
  let paper: Variant?

  init(_ changed: Variant, of setting: Setting) {
    func variant(_ configuration: RunConfiguration) -> Variant? {
      setting.paperRecipe.first { $0.configuration == configuration }
    }
    self.changed = changed
    sameMethod = variant(changed.configuration.withPaperRecipe)
    paper = variant(changed.configuration.asInThePaper)
  }

  var fromRecipe: Comparison? { sameMethod.flatMap { changed.comparison(with: $0) } }
  var fromBoth: Comparison? { paper.flatMap { changed.comparison(with: $0) } }
}
