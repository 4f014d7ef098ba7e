import OnePass
import OnePassCore
import OnePassExperiments

/// An evaluation as text.
struct EvaluationText {
  private let evaluation: Evaluation

  /// The maximum number of classes in the table; of more, only those with the lowest accuracy are listed.
  private static let classesShown = 20
  /// The maximum number of pairs of classes.
  private static let pairsShown = 10

  init(_ evaluation: Evaluation) { self.evaluation = evaluation }

  var text: String { ([figures, classes] + (confusions.map { [$0] } ?? [])).joined(separator: "\n\n") }

  private var figures: String {
    let accuracy = evaluation.accuracy
    var lines = ["top-1   \(Figures.percent(accuracy.top1, decimals: 2))"]
    if let top5 = accuracy.top5 { lines.append("top-5   \(Figures.percent(top5, decimals: 2))") }
    lines.append(
      "loss    \(Figures.loss(accuracy.loss)) nats over \(Figures.count(accuracy.examples)) examples"
        + (accuracy.skipped > 0 ? ", \(Figures.count(accuracy.skipped)) broken images skipped" : ""))
    return lines.joined(separator: "\n")
  }

  private var classes: String {
    let hasTop5 = evaluation.accuracy.top5 != nil
    let all = evaluation.classes
    let isWhole = all.count <= Self.classesShown
    let shown = isWhole ? all : evaluation.hardestClasses(Self.classesShown)
    var table = TextTable(
      header: ["class", "examples", "top-1"] + (hasTop5 ? ["top-5"] : []),
      isText: [true, false, false] + (hasTop5 ? [false] : []))
    table.rows = shown.map { result in
      let shares = [result.top1] + (hasTop5 ? [result.top5] : [])
      return [name(result.label), Figures.count(result.examples)]
        + shares.map { $0.map { Figures.percent($0) } ?? "-" }
    }
    guard !isWhole else { return table.text }
    return "The \(shown.count) of \(Figures.count(all.count)) classes with the lowest accuracy "
      + "(--output or --format csv has all):\n\(table.text)"
  }

  /// The most frequent confusions; `nil` if there are none.
  private var confusions: String? {
    let pairs = evaluation.confusion.mostFrequentErrors(Self.pairsShown)
    guard !pairs.isEmpty else { return nil }
    var table = TextTable(header: ["most frequent confusions", ""], isText: [true, true])
    table.rows = pairs.map { pair in
      let examples = evaluation.classes[pair.label].examples
      return [
        "\(name(pair.label)) → \(name(pair.predicted))",
        "\(Figures.count(pair.count)) of \(Figures.count(examples))",
      ]
    }
    return table.text.split(separator: "\n").map { $0.trimmingSuffix(while: \.isWhitespace) }
      .joined(separator: "\n")
  }

  /// The name of a class, at most 40 characters long.
  private func name(_ label: Int) -> String {
    let name = String(escaping: evaluation.card.className(label).utf8)
    return name.count > 40 ? name.prefix(39) + "…" : name
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
    var text = self
    while let last = text.last, isTrimmed(last) { text.removeLast() }
    return text
  }
}
