import Foundation
import OnePass
import OnePassCore

/// The accuracy by class and the most frequent confusions, as parts of a page.
struct EvaluationSection {
  let evaluation: Evaluation
  /// The maximum number of pairs of classes.
  private static let pairsShown = 20
  /// The maximum number of classes in an open table.
  private static let classesShown = 30

  private var accuracy: RunResult.Accuracy { evaluation.accuracy }

  /// The number of misclassified examples.
  var errorCount: Int {
    accuracy.examples - evaluation.classes.reduce(0) { $0 + $1.correct }
  }

  /// The pairs of classes that were confused most often.
  var confusions: String {
    let pairs = evaluation.confusion.mostFrequentErrors(Self.pairsShown)
    guard let most = pairs.first?.count else { return "<p>No example was misclassified.</p>" }
    let rows = pairs.map { pair in
      let (label, predicted) = (
        evaluation.card.className(pair.label), evaluation.card.className(pair.predicted)
      )
      return """
        <tr><th scope="row"><bdi>\(escaped(label))</bdi> → <bdi>\(escaped(predicted))</bdi></th>\
        <td class="n">\(Figures.count(pair.count))</td>\
        <td class="n">\(Figures.count(evaluation.classes[pair.label].examples))</td>\(bar(Double(pair.count) / Double(most)))</tr>
        """
    }
    return table("Most frequent confusions", ["true → predicted", "errors", "of"], rows)
  }

  /// The accuracy by class.
  var classes: String {
    let rows = evaluation.classes.map { result in
      """
      <tr><th scope="row"><bdi>\(escaped(evaluation.card.className(result.label)))</bdi></th>\
      <td class="n">\(Figures.count(result.examples))</td>\
      <td class="n">\(result.top1.map { Figures.percent($0) } ?? "-")</td>\
      \(accuracy.top5 == nil ? "" : "<td class=\"n\">\(result.top5.map { Figures.percent($0) } ?? "-")</td>")\
      \(bar(result.top1 ?? 0))</tr>
      """
    }
    let columns = ["class", "examples", "top-1"] + (accuracy.top5 == nil ? [] : ["top-5"])
    let all = table("Accuracy by class", columns, rows)
    guard rows.count > Self.classesShown else { return all }
    let least = evaluation.hardestClasses(Self.classesShown).map { rows[$0.label] }
    return """
      \(table("The \(Self.classesShown) classes with the lowest accuracy", columns, least))
      <details><summary>All \(Figures.count(rows.count)) classes</summary>\(all)</details>
      """
  }

  private func bar(_ share: Double) -> String {
    "<td class=\"share\" aria-hidden=\"true\"><span style=\"width:\(String(format: "%.1f%%", 100 * share))\"></span></td>"
  }

  private func table(_ title: String, _ columns: [String], _ rows: [String]) -> String {
    let heads = columns.enumerated().map { "<th scope=\"col\"\($0 == 0 ? "" : " class=\"n\"")>\($1)</th>" }
    return """
      <div class="wide" tabindex="0" role="region" aria-label="\(title)"><table class="classes">
      <thead><tr>\(heads.joined())<td></td></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }
}
