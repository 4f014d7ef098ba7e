import Foundation
import OnePass
import OnePassCore
import OnePassData

/// An HTML page about an evaluation: the misclassified images with the highest losses, frequent confusions and all classes.
///
/// The page needs no network and is well-formed XML.
struct ErrorsPage {
  private let evaluation: Evaluation
  private let checkpoint: String
  private let section: EvaluationSection

  /// - Parameter checkpoint: The folder of the model.
  init(_ evaluation: Evaluation, of checkpoint: String) {
    (self.evaluation, self.checkpoint) = (evaluation, checkpoint)
    section = EvaluationSection(evaluation: evaluation)
  }

  /// The text of the page.
  var html: String {
    let title = "Errors of \(URL(fileURLWithPath: checkpoint).lastPathComponent)"
    return """
      <!DOCTYPE html>
      <html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>\
      <meta name="viewport" content="width=device-width,initial-scale=1"/>
      <title>\(escaped(title))</title><style>\(ReportStyle.page)\(ReportStyle.memory)</style></head><body>
      <h1>\(escaped(title))</h1>
      <p class="lead">\(escaped(lead))</p>
      <nav aria-label="Sections"><a href="#figures">Figures</a> <a href="#images">Worst errors</a> \
      <a href="#confusions">Confusions</a> <a href="#classes">Classes</a></nav>
      <section id="figures"><h2>Figures</h2>\(tiles)</section>
      <section id="images"><h2>Worst errors</h2>\(images)</section>
      <section id="confusions"><h2>Confusions</h2>\(section.confusions)</section>
      <section id="classes"><h2>Classes</h2>\(section.classes)</section>
      </body></html>

      """
  }

  private var accuracy: RunResult.Accuracy { evaluation.accuracy }

  private var errorCount: Int { section.errorCount }

  private var lead: String {
    "The model of \(checkpoint) on \(evaluation.source): \(Figures.count(accuracy.examples, "example")), "
      + "\(Figures.count(errorCount)) misclassified."
  }

  // MARK: Figures

  private var tiles: String {
    var tiles = [("top-1", Figures.percent(accuracy.top1, decimals: 2), "single centre crop")]
    if let top5 = accuracy.top5 {
      tiles.append(("top-5", Figures.percent(top5, decimals: 2), "label among the five most likely"))
    }
    tiles.append(("loss", Figures.loss(accuracy.loss), "mean cross-entropy, nats"))
    tiles.append(("misclassified", Figures.count(errorCount), "of \(Figures.count(accuracy.examples))"))
    let leftOut = accuracy.leftOut?.values.reduce(0, +) ?? 0
    if accuracy.skipped + leftOut > 0 {
      tiles.append(
        (
          "not evaluated", Figures.count(accuracy.skipped + leftOut),
          "\(Figures.count(accuracy.skipped, "broken image")), \(Figures.count(leftOut)) left out by the source"
        ))
    }
    return tileList(tiles)
  }

  // MARK: Images

  private var images: String {
    guard errorCount > 0 else { return "<p>Every example was classified correctly.</p>" }
    guard !evaluation.mistakes.isEmpty else { return "<p>No images were requested (--errors 0).</p>" }
    let shown = evaluation.mistakes.count
    return """
      <p class="lead">The \(Figures.count(shown)) of \(Figures.count(errorCount)) errors with the highest losses. \
      Mislabelled images are often among them.</p>
      <ul class="pictures">\(evaluation.mistakes.map(card).joined(separator: "\n"))</ul>
      """
  }

  private func card(_ mistake: Evaluation.Mistake) -> String {
    let name = escaped(evaluation.card.className(mistake.label))
    let predicted = escaped(evaluation.card.className(mistake.predicted))
    return """
      <li>\(picture(mistake, named: name))
      <p class="class" title="\(name)"><bdi>\(name)</bdi></p>
      <p class="differs" title="\(predicted)">✗ predicted (\(percent(mistake.probability, decimals: 0))): \
      <bdi>\(predicted)</bdi></p>
      <p class="facts">loss \(Figures.loss(mistake.loss)), true class \(percent(mistake.labelProbability, decimals: 1))<br/>\
      <bdi class="file">\(escaped(place(of: mistake)))</bdi></p></li>
      """
  }

  private func percent(_ share: Double, decimals: Int) -> String {
    Figures.percent(share, decimals: decimals).replacing(" ", with: "\u{A0}")
  }

  /// The file of an example with the last of its folders, unless that is its class; else its position.
  private func place(of mistake: Evaluation.Mistake) -> String {
    guard let location = mistake.location else { return "Example \(Figures.count(mistake.position))" }
    let parts = location.split(separator: "/").suffix(2)
    let isClass = parts.first.map { $0 == evaluation.card.className(mistake.label) } ?? false
    return parts.count < 2 || isClass ? String(parts.last ?? "") : "…/" + parts.joined(separator: "/")
  }

  private func picture(_ mistake: Evaluation.Mistake, named name: String) -> String {
    let orientation = evaluation.card.pipeline.orientation
    guard let thumbnail = try? Thumbnail(of: mistake.image, orientation: orientation) else {
      return "<p class=\"lost\">The image cannot be shown.</p>"
    }
    let title =
      "\(mistake.location ?? "Example \(Figures.count(mistake.position))"): "
      + "\(thumbnail.original.width) x \(thumbnail.original.height) pixels"
    return thumbnail.html(alt: "Example \(mistake.position), labelled \(name)", title: escaped(title))
  }
}

extension Evaluation {
  /// The classes with the lowest top-1 accuracy, the lowest first. Classes without examples do not count.
  package func hardestClasses(_ count: Int) -> [ClassResult] {
    let measured = classes.filter { $0.examples > 0 }
    return Array(
      measured.sorted { ($0.top1 ?? 0, $0.label) < ($1.top1 ?? 0, $1.label) }.prefix(count))
  }
}
