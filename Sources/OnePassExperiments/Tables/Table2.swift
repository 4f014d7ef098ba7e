import OnePass
import OnePassCore

extension Tables {
  /// The paper's Table 2: a row for each number of effective epochs, a column for each storage budget.
  static func table2(_ setting: Setting) -> ResultTable? {
    let replays = setting.prioritised
    let storages = setting.storages
    let ks = Set(replays.map(\.configuration.replay.steps))
    let multiEpochs = setting.multiEpochs.filter { $0.configuration.epochs < 90 }
    let epochs = Set(multiEpochs.map(\.configuration.epochs))
    guard !ks.isEmpty else { return nil }
    var table = ResultTable(
      "Table 2", of: setting,
      columns: ["#effective epochs", "#compute"] + storages.map { "#\($0)" } + ["#multi-epoch (100%)"])
    let shown = replays + multiEpochs
    let usual = shown.map(\.n).max() ?? 0
    for passes in epochs.union(ks.map { $0 + 1 }).sorted() {
      let row = storages.map { storage in
        replays.first {
          $0.configuration.replay.steps == passes - 1 && $0.configuration.memory.storage == storage
        }
      }
      let multiEpoch = setting.multiEpoch(passes)
      let papers = storages.map { storage -> Double? in
        guard case .fraction(let share) = storage else { return nil }
        return PaperFigures.replay(k: passes - 1, storage: share)
      }
      table.add(
        ["\(passes)", ResultFigures.percent(100 * Double(passes) / 90)]
          + zip(row, papers).map { cell($0, paper: $1, usual: usual) }
          + [cell(multiEpoch, paper: PaperFigures.multiEpoch(passes), usual: usual)])
      for (variant, paper) in zip(row + [multiEpoch], papers + [PaperFigures.multiEpoch(passes)]) {
        if let variant { table.add(data: variant.fields + [("paper_accuracy", .init(paper))]) }
      }
    }
    table.notes = [
      errorNote(shown, of: setting)
        + " In parentheses: the paper's value. Compute: k + 1 passes, in percent of 90 passes; the measured value is "
        + "slightly lower, since the first step replays nothing.", paperNote,
    ]
    return table
  }

  private static func cell(_ variant: Variant?, paper: Double?, usual: Int) -> String {
    guard let variant else { return "-" }
    // Only cells with fewer seeds than the others show n. A single seed is marked anyway.
    let count = variant.n == usual || variant.n < 2 ? "" : " n = \(variant.n)"
    return ResultFigures.accuracy(variant.accuracy) + count
      + (paper.map { " (\(ResultFigures.paper($0)))" } ?? "")
  }
}
