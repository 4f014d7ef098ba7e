import Foundation
import OnePass
import OnePassCore

/// The output folder of an evaluation, which appears complete or not at all.
///
/// ```
/// DIR/evaluation.json   all figures
/// DIR/classes.csv       accuracy by class
/// DIR/confusion.csv     the confusion matrix, a row for each true class
/// DIR/errors.html       the misclassified images with the highest losses
/// ```
package struct EvaluationFolder {
  private let folder: RunFolder

  /// Checks that the folder can be made, before the evaluation.
  /// - Throws: `OnePassError`: `usage` if the folder is not empty, `io` if it cannot be written.
  package init(creating path: String) throws { folder = try RunFolder(creating: path) }

  /// Writes the files and renames the folder into place.
  /// - Parameters:
  ///   - evaluation: The evaluation.
  ///   - checkpoint: The folder of the model, for the title of the page.
  /// - Throws: `OnePassError` (`io`) if a file cannot be written.
  package func write(_ evaluation: Evaluation, of checkpoint: String) throws {
    try folder.write(json: evaluation, to: "evaluation.json")
    try folder.write(evaluation.classesCSV + "\n", to: "classes.csv")
    let path = try folder.location(of: "confusion.csv")
    try folder.reporting {
      // Row by row, since the matrix of many classes is large.
      try Data().write(to: URL(fileURLWithPath: path))
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      defer { try? file.close() }
      try evaluation.forEachConfusionRow { try file.write(contentsOf: Data(($0 + "\n").utf8)) }
    }
    try folder.write(ErrorsPage(evaluation, of: checkpoint).html, to: "errors.html")
    try folder.commit()
  }
}

extension Evaluation {
  /// The accuracy by class as CSV, without a final line end.
  package var classesCSV: String {
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    let header = ["class", "name", "examples", "correct", "top1", "correct_top5", "top5", "loss"]
    let rows = classes.map { result in
      CSV.row([
        "\(result.label)", name(of: result.label) ?? "", "\(result.examples)", "\(result.correct)",
        text(result.top1), result.correctTop5.map { "\($0)" } ?? "", text(result.top5), text(result.loss),
      ])
    }
    return ([CSV.row(header)] + rows).joined(separator: "\n")
  }

  /// Calls `body` with each line of the confusion matrix as CSV, the header first, without line ends.
  ///
  /// A row has the counts of a true class, a column those of a predicted class. Classes without names have their labels.
  package func forEachConfusionRow(_ body: (String) throws -> Void) rethrows {
    let names = (0..<confusion.classes).map { name(of: $0) ?? "\($0)" }
    try body(CSV.row(["true class"] + names))
    let none = [String](repeating: "0", count: names.count)
    var entries = confusion.entries[...]
    for (label, name) in names.enumerated() {
      var counts = none
      while let entry = entries.first, entry.label == label {
        counts[entry.predicted] = "\(entry.count)"
        entries.removeFirst()
      }
      try body(CSV.row([name] + counts))
    }
  }
}
