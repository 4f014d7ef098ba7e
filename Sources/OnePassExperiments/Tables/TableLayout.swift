import OnePass

/// The tables that can be made of a setting's runs.
package enum TableLayout: String, CaseIterable, Sendable {
  /// The paper's Table 1: naive, prioritised replay, many passes.
  case table1
  /// The paper's Table 2: effective epochs against storage.
  case table2
  /// Every change of the method against the method, seed by seed.
  case ablations
  /// Another recipe than the paper's against the paper's, seed by seed.
  case recipe
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
    case .recipe: Tables.recipe(setting)
    case .claims: Tables.claims(setting)
    case .variants: Tables.variants(setting)
    }
  }
}

/// The makers of the tables.
enum Tables {
  static let paperNote = "The paper: ResNet-50 on ImageNet, 10 orders of the data (Hu et al. 2021)."

  /// What the ± of a table means, for as many seeds as there are.
  static func errorNote(_ variants: [Variant], of setting: Setting) -> String {
    let counts = Set(variants.map(\.n)).subtracting([0]).sorted()
    guard let least = counts.first, let most = counts.last else {
      return "No run was evaluated: there is no accuracy."
    }
    let seeds = least == most ? "\(most) \(most == 1 ? "seed" : "seeds")" : "\(least) to \(most) seeds"
    let warning = least == 1 ? " A figure of one seed has no error and says nothing about chance." : ""
    return "Top-1 in percent, mean ± standard error over \(seeds).\(warning) \(orderNote(setting))"
  }

  /// What chance the errors cover: the paper's are those of different orders of the data.
  static func orderNote(_ setting: Setting) -> String {
    let data = setting.configuration.data.source
    if data.hasPrefix("wds:") {
      return
        "A seed fixes the initial weights, the augmentation and the memory's choices; all seeds see the shards in the "
        + "same order."
    }
    return
      "A seed fixes the order of the stream, the initial weights, the augmentation and the memory's choices."
  }
}
