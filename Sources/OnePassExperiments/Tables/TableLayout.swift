import OnePass

/// The tables of the runs of a setting.
package enum TableLayout: String, CaseIterable, Sendable {
  /// The paper's Table 1: naive, prioritised replay and multi-epoch training.
  case table1
  /// The paper's Table 2: accuracy by effective epochs and storage.
  case table2
  /// Each ablation against the paper's method.
  case ablations
  /// Another recipe against the paper's recipe.
  case recipe
  /// The paper's claims with verdicts.
  case claims
  /// All variants with accuracy, storage and compute.
  case variants

  /// The table; `nil` if no run of the setting belongs in it.
  package func table(of setting: Setting) -> ResultTable? {
    switch self {
    case .table1: Tables.table1(setting)
    case .table2: Tables.table2(setting)
    case .ablations: Tables.ablations(setting)
    case .recipe: Tables.recipe(setting)
    case .claims: Tables.claims(setting)
    case .variants: Tables.variants(setting)
    }
  }
}

/// The functions that make the tables, and the notes that they share.
enum Tables {
  static let paperNote = "Paper: ResNet-50 on ImageNet, mean over 10 orders of the data (Hu et al. 2021)."

  /// The tests of the differences in a table.
  static let testNote =
    "Differences have 95 % confidence intervals (Student's t), which are not corrected for the number of comparisons. "
    + "Test: paired by seed where both runs of a pair start from the same weights, see the examples in the same order and "
    + "have the same recipe; otherwise Welch's t-test, for unequal variances. df: degrees of freedom. n: pairs, or the runs "
    + "of each group. p: two-sided."

  /// The family of Holm's correction, for a note.
  /// - Parameter family: Its comparisons: `"the 9 rows of this table"`.
  static func holmNote(_ family: String) -> String { "p (Holm): corrected by Holm's method for \(family)." }

  /// The meaning of ± in a table, with the number of runs.
  static func errorNote(_ variants: [Variant], of setting: Setting) -> String {
    let counts = Set(variants.map(\.n)).subtracting([0]).sorted()
    guard let least = counts.first, let most = counts.last else {
      return "No run was evaluated, so there is no accuracy."
    }
    let unit = setting.hasSeedsOfOrder ? "run" : "seed"
    let number = least == most ? "\(most) \(most == 1 ? unit : "\(unit)s")" : "\(least) to \(most) \(unit)s"
    let warning = least == 1 ? " A value from one \(unit) has no standard error." : ""
    return "Top-1 in percent, mean ± standard error over \(number).\(warning) \(setting.seedNote)"
  }
}
