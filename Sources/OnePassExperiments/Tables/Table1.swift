import OnePass
import OnePassCore

extension Tables {
  /// The paper's Table 1: the measured values beside the paper's.
  static func table1(_ setting: Setting) -> ResultTable? {
    let rows: [(name: String, variant: Variant?, paper: (Double?, Double?, Double?))] = [
      (
        "Multi-epoch", setting.reference,
        setting.reference?.configuration.epochs == 90
          ? (PaperFigures.multiEpoch90, 100, 100) : (nil, nil, nil)
      ),
      ("One-pass, naive", setting.naive, (PaperFigures.naive, 0, 100.0 / 90)),
      ("One-pass, prioritised replay", setting.bestPrioritised, paper(of: setting.bestPrioritised)),
    ]
    guard rows.contains(where: { $0.variant != nil }) else { return nil }
    var table = ResultTable(
      "Table 1", of: setting,
      columns: [
        "method", "#accuracy", "#storage", "#bytes", "#compute", "#n", "#accuracy (paper)",
        "#storage (paper)", "#compute (paper)",
      ])
    let differences = rows.map { difference(of: setting, from: $0.variant) }
    let corrected = Holm.adjusted(differences.map { $0?.pValue })
    for (index, (name, variant, paper)) in rows.enumerated() {
      guard let variant else { continue }
      table.add([
        "\(name) (\(variant.shortTitle))", ResultFigures.accuracy(variant.accuracy),
        ResultFigures.percent(variant.storage), ResultFigures.percent(variant.storageBytes),
        ResultFigures.percent(variant.compute), "\(variant.n)", ResultFigures.paper(paper.0),
        ResultFigures.paper(paper.1), ResultFigures.paper(paper.2),
      ])
      table.add(
        data: variant.fields + [
          ("paper_accuracy", .init(paper.0)), ("paper_storage_percent", .init(paper.1)),
          ("paper_compute_percent", .init(paper.2)),
        ]
          + Comparison.fields(differences[index], corrected: corrected[index]).map {
            ("replay_minus_this_\($0.name)", $0.value)
          })
    }
    table.notes = [
      errorNote(rows.compactMap(\.variant), of: setting)
        + " Storage: peak, in percent of the stream's examples. Bytes: peak with the index, in percent of the "
        + "stream's bytes. Compute: in percent of 90 passes.", paperNote,
    ]
    for (name, index) in [("naive", 1), ("multi-epoch", 0)] {
      guard let comparison = differences[index] else { continue }
      table.notes.append(note(on: comparison, corrected: corrected[index], from: name))
    }
    if corrected.contains(where: { $0 != nil }) {
      table.notes.append("\(testNote) \(holmNote("both differences"))")
    }
    return table
  }

  /// The difference between prioritised replay and another row.
  private static func difference(of setting: Setting, from other: Variant?) -> Comparison? {
    guard let replay = setting.bestPrioritised, let other, other.configuration != replay.configuration
    else { return nil }
    return replay.comparison(with: other)
  }

  /// `Prioritised replay - naive: +16.28 (6.45 to 26.11) percentage points; paired (df 2), n = 3, p = 0.019, p (Holm) = 0.019.`
  private static func note(on comparison: Comparison, corrected: Double?, from name: String) -> String {
    let difference =
      "Prioritised replay - \(name): \(ResultFigures.difference(comparison)) percentage points"
    guard let p = comparison.pValue else { return "\(difference)." }
    func probability(_ name: String, _ value: Double?) -> String {
      let text = ResultFigures.pValue(value)
      return text.hasPrefix("<") ? "\(name) \(text)" : "\(name) = \(text)"
    }
    return "\(difference); \(ResultFigures.test(comparison)), n = \(ResultFigures.count(comparison)), "
      + "\(probability("p", p)), \(probability("p (Holm)", corrected))."
  }

  private static func paper(of variant: Variant?) -> (Double?, Double?, Double?) {
    guard let configuration = variant?.configuration,
      case .fraction(let share) = configuration.memory.storage,
      let accuracy = PaperFigures.replay(k: configuration.replay.steps, storage: share)
    else { return (nil, nil, nil) }
    return (accuracy, 100 * share, 100 * Double(configuration.replay.steps + 1) / 90)
  }
}

extension Variant {
  /// The options of the method in short: `k = 8, 10%`, `90 passes`.
  var shortTitle: String {
    switch configuration.method {
    case .naive: "1 pass"
    case .multiEpoch: "\(configuration.epochs) passes"
    case .replay: "k = \(configuration.replay.steps), \(configuration.storageTitle)"
    }
  }

  /// The identity of a variant and its three metrics, for CSV and JSON.
  var fields: [(name: String, value: ResultTable.Field)] {
    let isReplay = configuration.method == .replay
    return [
      ("method", .text(configuration.method.rawValue)), ("variant", .text(title)),
      ("replay_steps", isReplay ? .number(Double(configuration.replay.steps)) : .none),
      ("storage_budget", isReplay ? .text("\(configuration.memory.storage)") : .none),
      ("epochs", configuration.method == .multiEpoch ? .number(Double(configuration.epochs)) : .none),
    ] + Sample.fields("accuracy_percent", accuracy) + [
      ("storage_percent", .number(storage)), ("storage_bytes_percent", .number(storageBytes)),
      ("compute_percent", .number(compute)), ("effective_epochs", .number(effectiveEpochs)),
    ]
  }
}
