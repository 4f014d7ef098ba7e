import Foundation
import OnePass
import OnePassCore
import OnePassReplay

/// One HTML page about the memory of one run: figures, charts, and pictures of both ends of the priorities.
///
/// It needs no network, and is well-formed XML too.
package struct MemoryPage {
  private let memory: StoredMemory
  private let summary: MemorySummary
  private let pictures: MemoryPictures
  private let asked: Int

  /// - Parameters:
  ///   - memory: What to show.
  ///   - pictures: How many pictures of each end.
  ///   - predicting: Whether the model says what it takes them for.
  package init(_ memory: StoredMemory, pictures: Int, predicting: Bool) {
    self.memory = memory
    asked = pictures
    summary = memory.summary
    self.pictures = MemoryPictures(of: memory, count: pictures, predicting: predicting)
  }

  /// How many pictures it shows.
  package var pictureCount: Int { pictures.count }

  /// Why it shows none, in a sentence.
  package var absence: String? {
    guard pictures.highest.isEmpty else { return nil }
    if asked == 0 { return "No pictures were asked for." }
    if memory.items.isEmpty { return "The memory is empty." }
    return memory.pictures.absence ?? "The run has no pictures of these items."
  }

  /// Writes the page, whole or not at all, in the place of an earlier page of the same run.
  /// - Throws: `OnePassError`: `usage` if something else is there, `io` if it cannot be written.
  package func write(to path: String) throws {
    let present = FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: 4_096) } ?? Data()
    guard present.isEmpty || present.range(of: Data(title.utf8)) != nil else {
      throw OnePassError(
        .usage,
        "\(path) exists, and is no page of \(memory.path): name another with --html FILE, or remove it.")
    }
    try Report.write(html, to: path)
  }

  /// What only a page of this run has, near its beginning.
  private var title: String {
    "<title>The memory of \(escaped(URL(fileURLWithPath: memory.path).relativePath))</title>"
  }

  /// The page.
  package var html: String {
    """
    <!DOCTYPE html>
    <html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>\
    <meta name="viewport" content="width=device-width,initial-scale=1"/>
    \(title)<style>\(ReportStyle.page)\(ReportStyle.memory)</style></head><body>
    <h1>The memory of \(escaped(memory.path))</h1>
    \(lead)
    \(memory.items.isEmpty ? "<p>The memory is empty.</p>" : sections)
    </body></html>

    """
  }

  private var sections: String {
    let charts = MemoryPageCharts(memory)
    return """
      <nav aria-label="Sections"><a href="#figures">Figures</a> <a href="#pictures">Pictures</a> \
      <a href="#priorities">Priorities</a> <a href="#age">Age and replays</a> \
      <a href="#classes">Classes</a></nav>
      <section id="figures"><h2>Figures</h2>\(tiles)\(spread)</section>
      <section id="pictures"><h2>Pictures</h2>\(pictureSection)</section>
      <section id="priorities"><h2>Priorities</h2><div class="charts">
      \(figure(charts.priorities, "Of the items held."))
      \(figure(charts.losses, "In the forward pass from which the priority was made."))
      \(figure(charts.priorityByPosition, timing))
      \(figure(charts.lossByPosition, "What the model had not learned yet when it met the item."))
      </div></section>
      <section id="age"><h2>Age and replays</h2><div class="charts">
      \(figure(charts.arrivals, "Twenty equal parts of the stream, the oldest on the left."))
      \(figure(charts.replays, "Of the items held; \(Figures.count(summary.neverDrawn)) were never drawn."))
      \(figure(charts.replaysByPosition, "What came early has had more time to be drawn."))
      </div></section>
      <section id="classes"><h2>Classes</h2>\(classes(charts))</section>
      """
  }

  private func figure(_ chart: Chart, _ caption: String) -> String {
    "<figure><figcaption>\(escaped(chart.title))<small>\(escaped(caption))</small></figcaption>\(chart.svg)</figure>"
  }

  // MARK: Figures

  private var lead: String {
    var parts: [String] = []
    switch memory.stage {
    case .finished:
      parts.append("The run is finished, after \(Figures.count(memory.examplesSeen, "example")).")
    case .unfinished(let step, let steps, _):
      parts.append(
        "The run is not finished: this is its last checkpoint, after step \(Figures.count(step)) of "
          + "\(Figures.count(steps)) and \(Figures.count(memory.examplesSeen, "example")).")
    }
    if let configuration = memory.configuration {
      parts.append("Stream: \(configuration.withoutSecrets.data.source).")
      parts.append("Method: \(configuration.title).")
      parts.append("Model: \(configuration.model.name), seed \(configuration.seed).")
    }
    return "<p class=\"lead\">\(escaped(parts.joined(separator: " ")))</p>"
  }

  private var tiles: String {
    var tiles: [(name: String, figure: String, more: String)] = []
    let fill = memory.fill.map { "\(Figures.percent($0)) full" }
    if let capacity = memory.plan?.capacityExamples {
      tiles.append(("items", Figures.count(summary.items), "of \(Figures.count(capacity)): \(fill ?? "")"))
    } else {
      tiles.append(("items", Figures.count(summary.items), ""))
    }
    if let counters = memory.counters {
      let budget = memory.plan?.capacityBytes.map { " of \(ByteCount($0)): \(fill ?? "")" } ?? ""
      tiles.append(
        (
          "bytes with index", "\(ByteCount(counters.bytes))",
          "\(ByteCount(summary.imageBytes)) of images; at most \(ByteCount(counters.peakBytes))\(budget)"
        ))
      tiles.append(
        (
          "taken in", Figures.count(counters.insertions),
          "of \(Figures.count(counters.examplesSeen)) offered; \(Figures.count(counters.evictions)) evicted"
            + (counters.forgotten > 0 ? ", \(Figures.count(counters.forgotten)) forgotten" : "")
        ))
      tiles.append(
        (
          "replays", Figures.count(counters.draws),
          "of \(Figures.count(counters.distinctDrawn)) different examples"
        ))
    }
    let balance = memory.balance
    tiles.append(
      (
        "classes", Figures.count(balance.held),
        "of \(Figures.count(balance.classes)); as diverse as \(Figures.short(balance.effectiveClasses)) equal ones"
      ))
    if let recognised = summary.recognised {
      tiles.append(
        (
          "recognised", Figures.count(recognised),
          "of the items: taken for their own class when their prediction was stored"
        ))
    }
    let entries = tiles.map { tile in
      "<div><dt>\(tile.name)</dt><dd><b>\(tile.figure)</b><small>\(escaped(tile.more))</small></dd></div>"
    }
    return "<dl class=\"tiles\">\(entries.joined())</dl>"
  }

  private var spread: String {
    var rows: [String] = []
    for (name, quartiles) in [
      ("age, in examples", summary.age), ("replays", summary.draws), ("priority", summary.priority),
      ("\(memory.lossTitle), in nats", summary.loss), ("items of a class", memory.balance.itemsPerClass),
    ] {
      guard let q = quartiles else { continue }
      let cells = [q.minimum, q.lower, q.median, q.upper, q.maximum].map {
        "<td class=\"n\">\(Figures.wholeOrShort($0))</td>"
      }
      rows.append("<tr><th scope=\"row\">\(name)</th>\(cells.joined())</tr>")
    }
    return """
      <div class="wide" tabindex="0" role="region" aria-label="How the figures spread"><table>
      <thead><tr><td></td>\(["min", "25 %", "median", "75 %", "max"].map { "<th scope=\"col\" class=\"n\">\($0)</th>" }.joined())</tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  // MARK: Pictures

  /// What a priority says, by how it was made.
  private var timing: String {
    guard let configuration = memory.configuration else { return "" }
    switch configuration.replay.priority {
    case .uniform: return "All priorities are equal."
    case .learnability:
      return
        "A priority is 1 − α · exp(−change), made anew at each replay: how far the loss then was from the running average "
        + "before it. The loss that is shown is that average. What was not replayed yet has priority 1."
    case .pruning:
      return
        "A priority is 0.5 where the loss of the last replay is below the mean of all, and 1 elsewhere; at the end of the "
        + "run all are 1."
    case .own(let name): return "A priority is what \(name) makes of the loss."
    case .loss: break
    }
    return switch configuration.replay.priorityTiming {
    case .insertion:
      "A priority is 1 − α · exp(−loss) with loss and α of the step at which the item came in. α grows with the stream: "
        + "early items stand near 1 whatever their loss."
    case .current: "A priority is 1 − α · exp(−loss) with the α of the last step and the loss at arrival."
    case .refreshed: "A priority is 1 − α · exp(−loss), made anew at each replay."
    }
  }

  private var pictureSection: String {
    if let absence { return "<p>\(escaped(absence))</p>" }
    let order = "Of equal priorities the more extreme loss comes first."
    let silence = pictures.silence.map { "<p class=\"note\">\(escaped($0))</p>" } ?? ""
    return """
      <p>\(escaped("\(timing) \(order)"))</p>\(silence)
      <h3>The highest priorities</h3>
      \(gallery(pictures.highest, "the highest", "Where these are mislabelled or broken, replays are spent on them."))
      <h3>The lowest priorities</h3>
      \(gallery(pictures.lowest, "the lowest", "What the model had learned when it met them."))
      """
  }

  private func gallery(_ cards: [MemoryPictures.Card], _ which: String, _ meaning: String) -> String {
    guard !cards.isEmpty else { return "<p>There is no picture of these.</p>" }
    var sentence = meaning
    let judged = cards.compactMap(\.isTakenForItsLabel)
    if !judged.isEmpty {
      sentence +=
        " As trained, the model takes \(judged.count { $0 }) of \(judged.count) for what they are labelled."
    }
    if cards.count < min(asked, (summary.items + (which == "the highest" ? 1 : 0)) / 2) {
      sentence += " The run keeps pictures of \(cards.count) of them."
    }
    return """
      <p class="lead">\(escaped(sentence))</p>
      <ul class="pictures">\(cards.map { $0.html(memory.card) }.joined(separator: "\n"))</ul>
      """
  }

  // MARK: Classes

  /// So many classes are read as a table; of more, the course.
  private static let listedClasses = 30

  private func classes(_ charts: MemoryPageCharts) -> String {
    let counts = (0..<memory.card.classes).map { (label: $0, count: summary.itemsPerClass[$0] ?? 0) }
      .sorted { ($1.count, $0.label) < ($0.count, $1.label) }
    let table = classTable(counts)
    guard counts.count > Self.listedClasses else { return table }
    return """
      <div class="charts">\(figure(charts.balance, "All \(Figures.count(counts.count)) classes of the model."))</div>
      <details><summary>Every class</summary>\(table)</details>
      """
  }

  private func classTable(_ counts: [(label: Int, count: Int)]) -> String {
    let most = Double(max(1, counts.first?.count ?? 1))
    let rows = counts.map { label, count in
      """
      <tr><th scope="row"><bdi>\(escaped(memory.card.className(label)))</bdi></th><td class="n">\(Figures.count(count))</td>\
      <td class="n">\(Figures.percent(Double(count) / Double(summary.items)))</td>\
      <td class="share" aria-hidden="true"><span style="width:\(Figures.percent(Double(count) / most).filter { $0 != " " })"></span></td></tr>
      """
    }
    return """
      <div class="wide" tabindex="0" role="region" aria-label="Items of each class"><table class="classes">
      <thead><tr><th scope="col">class</th><th scope="col" class="n">items</th><th scope="col" class="n">share</th><td></td></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }
}
