import Foundation
import OnePass
import OnePassCore

/// An HTML page about one run: accuracy, storage and compute, curves, memory, evaluation and configuration.
///
/// The page needs no network and is well-formed XML.
package struct RunPage {
  private let run: RunView
  private let curve: [CurvePoint]
  private let memory: MemoryPage?

  /// A page of a run.
  /// - Parameters:
  ///   - run: The run to show.
  ///   - pictures: The number of images with the highest priorities, and with the lowest, if the run kept them.
  /// - Throws: `OnePassError` (`badData`) if the curve is damaged.
  package init(_ run: RunView, pictures: Int) throws {
    self.run = run
    curve = try CurvePoint.curve(csv: run.curve, path: "\(run.path)/curve.csv")
    memory = run.memory.map { MemoryPage($0, pictures: pictures, predicting: pictures > 0) }
  }

  /// The number of images on the page.
  package var pictureCount: Int { memory?.pictureCount ?? 0 }

  /// Writes the page atomically; an earlier page of the same run is replaced.
  /// - Throws: `OnePassError`: `usage` if the path is another file, `io` if it cannot be written.
  package func write(to path: String) throws { try Report.write(html, to: path, of: run.path, titled: title) }

  private var title: String { "<title>\(escaped(URL(fileURLWithPath: run.path).lastPathComponent))</title>" }

  /// The text of the page.
  package var html: String {
    let parts = sections.map { section in
      "<section id=\"\(section.id)\"><h2>\(section.title)</h2>\(section.html)</section>"
    }
    let links = sections.map { "<a href=\"#\($0.id)\">\($0.title)</a>" }
    return """
      <!DOCTYPE html>
      <html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>\
      <meta name="viewport" content="width=device-width,initial-scale=1"/>
      \(title)<style>\(ReportStyle.page)\(ReportStyle.memory)</style></head><body>
      <h1>\(escaped(run.path))</h1>
      <p class="lead">\(escaped(lead))</p>
      \(tileList(tiles))
      <nav aria-label="Sections">\(links.joined(separator: " "))</nav>
      \(parts.joined(separator: "\n"))
      </body></html>

      """
  }

  private var sections: [(id: String, title: String, html: String)] {
    var sections = [("course", "Course", course)]
    if let memory, !(run.memory?.items.isEmpty ?? true) {
      sections.append(("classes", "Memory by class", memory.classes))
      sections.append(("age", "Memory by age", memory.age))
      sections.append(("images", "Hardest and easiest examples", memory.pictureSection))
    }
    sections.append(("evaluation", "Evaluation", evaluation))
    sections.append(("configuration", "Configuration", configuration))
    return sections
  }

  private var lead: String {
    var parts: [String] = []
    switch run.stage {
    case .finished: parts.append("Finished.")
    case .unfinished(let step, let steps, _):
      parts.append("Not finished: as of the last checkpoint, after \(RunStage.text(step, of: steps)).")
    }
    parts.append("Stream: \(run.configuration.withoutSecrets.data.source).")
    parts.append("Method: \(run.summary.title).")
    parts.append("Model: \(run.summary.modelTitle), seed \(run.configuration.seed).")
    return parts.joined(separator: " ")
  }

  // MARK: Statistics

  private var tiles: [(name: String, figure: String, more: String)] {
    let summary = run.summary
    let accuracy =
      summary.top1.map {
        ("accuracy", Figures.percent($0, decimals: 2), "top-1 on \(source), single centre crop")
      } ?? online
    let peak = run.result.map { "\(ByteCount($0.storage.bytes)) at the peak, index included; " } ?? ""
    return [
      accuracy,
      (
        "storage", Figures.percent(summary.storedFraction),
        "of the stream's examples; \(peak)\(Figures.percent(summary.storedByteFraction)) of its bytes"
      ),
      (
        "compute", Figures.percent(summary.computeFraction, decimals: 2),
        "of 90 passes; \(Figures.count(curve.last?.examplesTrained ?? 0, "example")) trained"
      ),
      (
        "speed", Figures.count(Int(summary.imagesPerSecond)),
        "trained images/s; \(Figures.duration(summary.seconds)) in total"
      ),
    ]
  }

  private var source: String {
    run.configuration.withoutSecrets.data.evaluationSource ?? "the evaluation data"
  }

  private var online: (name: String, figure: String, more: String) {
    let online = run.result?.online.map { Figures.percent($0.top1, decimals: 2) }
    return ("online accuracy", online ?? "-", "top-1 before training on each example; no evaluation")
  }

  private var course: String {
    let charts = RunCharts(
      CourseSlice.course(of: [curve], hasMemory: run.configuration.method == .replay), curve)
    guard !charts.all.isEmpty else { return "<p>The curve has too few points for a chart.</p>" }
    let figures = charts.all.map { figure($0.chart, $0.caption) }
    return "<div class=\"charts\">\(figures.joined(separator: "\n"))</div>"
  }

  private var evaluation: String {
    if let evaluation = run.evaluation {
      let section = EvaluationSection(evaluation: evaluation)
      return section.classes + "<h3>Confusions</h3>" + section.confusions
    }
    guard run.result?.accuracy != nil else { return "<p>The run was not evaluated; pass --eval-data.</p>" }
    return
      "<p>The accuracy by class is not recorded for runs of several ranks and of earlier versions; see `onepass evaluate`.</p>"
  }

  // MARK: Configuration

  private var configuration: String {
    let shown = run.configuration.withoutSecrets
    let rows = shown.differences(from: .defaults).map { option, value, standard in
      // A thousand class names are in the file below.
      let short = value.count > 160 ? value.prefix(160) + "…" : value[...]
      return
        "<tr><th scope=\"row\">\(escaped(option))</th><td>\(escaped(String(short)))</td><td>\(escaped(standard))</td></tr>"
    }
    let facts = self.facts.map {
      "<tr><th scope=\"row\">\($0.name)</th><td>\(escaped($0.value))</td></tr>"
    }
    return """
      <div class="wide" tabindex="0" role="region" aria-label="Facts"><table>\(facts.joined(separator: "\n"))</table></div>
      <h3>Options that differ from the defaults</h3>
      <div class="wide" tabindex="0" role="region" aria-label="Options"><table>
      <thead><tr><th scope="col">option</th><th scope="col">value</th><th scope="col">default</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      <details><summary>All options, as a file for --config</summary><pre>\(escaped(shown.fileText))</pre></details>
      """
  }

  private var facts: [(name: String, value: String)] {
    var facts = [
      (
        "stream",
        Figures.count(curve.last?.examplesSeen ?? 0, "example")
          + (run.plan.isEndless ? "" : " of \(Figures.count(run.plan.streamExamples)) planned")
      )
    ]
    guard let result = run.result else { return facts }
    let leftOut = result.stream.leftOut?.values.reduce(0, +) ?? 0
    facts.append(("broken images", Figures.count(result.stream.skipped)))
    facts.append(("left out by the source", Figures.count(leftOut)))
    for choice in result.stream.choices ?? [] { facts.append((escaped(choice.what), choice.taken)) }
    for gap in result.stream.gaps ?? [] {
      facts.append(
        ("gap", "before example \(Figures.count(gap.position)): continued with \(gap.source), \(gap.time)"))
    }
    facts.append(("updates", Figures.count(result.compute.updates)))
    facts.append(("onepass", result.versionText))
    facts.append(("libtorch", result.engine))
    if let machine = result.machine {
      let accelerators =
        machine.accelerators.isEmpty ? "" : ", \(machine.accelerators.joined(separator: ", "))"
      facts.append(
        ("machine", "\(machine.processor), \(machine.cores) cores, \(machine.system)\(accelerators)"))
    }
    return facts
  }
}
