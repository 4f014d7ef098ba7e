/// The tables that can be made of a setting's runs.
package enum TableLayout: String, CaseIterable, Sendable {
  /// The paper's Table 1: naive, prioritised replay, many passes.
  case table1
  /// The paper's Table 2: effective epochs against storage.
  case table2
  /// Every change of the method against the method, seed by seed.
  case ablations
  /// The paper's claims, one by one.
  case claims
  /// Every variant with its three metrics.
  case variants

  /// The table, or `nil` if nothing was run that belongs in it.
  package func table(of setting: Setting) -> ResultTable? {
    switch self {
    case .table1: Tables.table1(setting)
    case .table2: Tables.table2(setting)
    case .ablations: Tables.ablations(setting)
    case .claims: Tables.claims(setting)
    case .variants: Tables.variants(setting)
    }
  }
}

/// The makers of the tables.
enum Tables {
  static let paperNote = "The paper: ResNet-50 on ImageNet, 10 orders of the data (Hu et al. 2021)."

  /// What the ± of a table means, for as many seeds as there are.
  static func errorNote(_ variants: [Variant]) -> String {
    let counts = Set(variants.compactMap { $0.accuracy?.n }).sorted()
    let seeds =
      counts.count == 1
      ? "\(counts[0]) \(counts[0] == 1 ? "seed" : "seeds")"
      : "\(counts.first ?? 0) to \(counts.last ?? 0) seeds"
    let warning =
      counts.contains(1) ? " A figure of one seed has no error and says nothing about chance." : ""
    return "Top-1 in percent, mean ± standard error over \(seeds).\(warning)"
  }
}
