import Foundation
import OnePass
import OnePassCore
import OnePassReplay

/// An HTML page about the memory of one run: statistics, charts, and the images with extreme priorities.
///
/// The page needs no network and is well-formed XML.
package struct MemoryPage {
  private let memory: StoredMemory
  private let summary: MemorySummary
  private let pictures: MemoryPictures
  private let requested: Int

  /// A page of a memory.
  /// - Parameters:
  ///   - memory: The memory to show.
  ///   - pictures: The number of images with the highest priorities, and with the lowest.
  ///   - predicting: Whether the page shows the class that the model predicts for each image.
  package init(_ memory: StoredMemory, pictures: Int, predicting: Bool) {
    self.memory = memory
    requested = pictures
    summary = memory.summary
    self.pictures = MemoryPictures(of: memory, count: pictures, predicting: predicting)
  }

  /// The number of images on the page.
  package var pictureCount: Int { pictures.count }

  /// The reason why the page has no images; `nil` if it has some.
  package var absence: String? {
    guard pictures.highest.isEmpty else { return nil }
    if requested == 0 { return "No images were requested (--pictures 0)." }
    if memory.items.isEmpty { return "The memory is empty." }
    return memory.pictures.absence ?? "The run kept no images of these items."
  }

  /// Writes the page atomically; an earlier page of the same run is replaced.
  /// - Throws: `OnePassError`: `usage` if the path is another file, `io` if it cannot be written.
  package func write(to path: String) throws {
    try Report.write(html, to: path, of: memory.path, titled: title)
  }

  /// The element near the start of a page that identifies the run.
  private var title: String {
    "<title>The memory of \(escaped(URL(fileURLWithPath: memory.path).relativePath))</title>"
  }

  /// The text of the page.
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
    """
    <nav aria-label="Sections"><a href="#figures">Statistics</a> <a href="#pictures">Images</a> \
    <a href="#priorities">Priorities</a> <a href="#age">Age and replays</a> \
    <a href="#classes">Classes</a></nav>
    <section id="figures"><h2>Statistics</h2>\(tiles)\(spread)</section>
    <section id="pictures"><h2>Images</h2>\(pictureSection)</section>
    <section id="priorities"><h2>Priorities</h2>\(priorities)</section>
    <section id="age"><h2>Age and replays</h2>\(age)</section>
    <section id="classes"><h2>Classes</h2>\(classes)</section>
    """
  }

  private var charts: MemoryPageCharts { MemoryPageCharts(memory) }

  private var priorities: String {
    """
    <div class="charts">
    \(figure(charts.priorities, "All items in the memory."))
    \(figure(charts.losses, "From the forward pass that set the priority."))
    \(figure(charts.priorityByPosition, timing))
    \(figure(charts.lossByPosition, "High losses: examples that the model had not learned yet."))
    </div>
    """
  }

  /// The items by position and by number of replays.
  var age: String {
    """
    <div class="charts">
    \(figure(charts.arrivals, "Twenty equal parts of the stream, oldest first."))
    \(figure(charts.replays, "\(Figures.count(summary.neverDrawn)) of the items were never replayed."))
    \(figure(charts.replaysByPosition, "Early examples have had more time to be replayed."))
    </div>
    """
  }

  // MARK: Figures

  private var lead: String {
    var parts: [String] = []
    switch memory.stage {
    case .finished:
      parts.append("The run finished after \(Figures.count(memory.examplesSeen, "example")).")
    case .unfinished(let step, let steps, _):
      parts.append(
        "The run is not finished. This is its last checkpoint, after \(RunStage.text(step, of: steps)) "
          + "and \(Figures.count(memory.examplesSeen, "example")).")
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
          "\(ByteCount(summary.imageBytes)) of images; peak \(ByteCount(counters.peakBytes))\(budget)"
        ))
      tiles.append(
        (
          "inserted", Figures.count(counters.insertions),
          "of \(Figures.count(counters.examplesSeen)) offered; \(Figures.count(counters.evictions)) evicted"
            + (counters.forgotten > 0 ? ", \(Figures.count(counters.forgotten)) forgotten" : "")
        ))
      tiles.append(
        (
          "replays", Figures.count(counters.draws),
          "of \(Figures.count(counters.distinctDrawn)) distinct examples"
        ))
    }
    let balance = memory.balance
    tiles.append(
      (
        "classes", Figures.count(balance.held),
        "of \(Figures.count(balance.classes)); effective number \(Figures.short(balance.effectiveClasses))"
      ))
    if let recognised = summary.recognised {
      tiles.append(
        (
          "predicted correctly", Figures.count(recognised),
          "of the items, when their prediction was stored"
        ))
    }
    return tileList(tiles)
  }

  private var spread: String {
    var rows: [String] = []
    for (name, quartiles) in [
      ("age (examples)", summary.age), ("replays", summary.draws), ("priority", summary.priority),
      ("\(memory.lossTitle) (nats)", summary.loss), ("items per class", memory.balance.itemsPerClass),
    ] {
      guard let q = quartiles else { continue }
      let cells = [q.minimum, q.lower, q.median, q.upper, q.maximum].map {
        "<td class=\"n\">\(Figures.wholeOrShort($0))</td>"
      }
      rows.append("<tr><th scope=\"row\">\(name)</th>\(cells.joined())</tr>")
    }
    return """
      <div class="wide" tabindex="0" role="region" aria-label="Distribution of the statistics"><table>
      <thead><tr><td></td>\(["min", "25 %", "median", "75 %", "max"].map { "<th scope=\"col\" class=\"n\">\($0)</th>" }.joined())</tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  // MARK: Images

  /// The formula of the priorities.
  private var timing: String {
    guard let configuration = memory.configuration else { return "" }
    switch configuration.replay.priority {
    case .uniform: return "All priorities are equal."
    case .learnability:
      return
        "Priority: 1 − α · exp(−change), updated at each replay. The change is the distance of the loss from its previous "
        + "running average. The loss shown is this average. Items that were never replayed have priority 1."
    case .pruning:
      return
        "Priority: 0.5 if the loss of the last replay is below the mean over all items, otherwise 1. At the end of the run "
        + "all priorities are 1."
    case .own(let name): return "Priority: \(name), a function of the loss."
    case .loss: break
    }
    return switch configuration.replay.priorityTiming {
    case .insertion:
      "Priority: 1 − α · exp(−loss), with the loss and α of the step that inserted the item. α grows over the stream, so "
        + "early items have priorities near 1 whatever their loss."
    case .current: "Priority: 1 − α · exp(−loss), with the α of the last step and the loss at insertion."
    case .refreshed: "Priority: 1 − α · exp(−loss), updated at each replay."
    }
  }

  /// The images with extreme priorities, or why there are none.
  var pictureSection: String {
    if let absence { return "<p>\(escaped(absence))</p>" }
    let order = "Ties are ordered by loss."
    let failure = pictures.predictionFailure.map { "<p class=\"note\">\(escaped($0))</p>" } ?? ""
    return """
      <p>\(escaped("\(timing) \(order)"))</p>\(failure)
      <h3>Highest priorities</h3>
      \(gallery(pictures.highest, isHighest: true, "Mislabelled or broken images here waste replays."))
      <h3>Lowest priorities</h3>
      \(gallery(pictures.lowest, isHighest: false, "Examples that the model had already learned."))
      """
  }

  private func gallery(
    _ cards: [MemoryPictures.Card], isHighest: Bool, _ meaning: String
  ) -> String {
    guard !cards.isEmpty else { return "<p>The run kept no images of these items.</p>" }
    var text = meaning
    let judged = cards.compactMap(\.isPredictedCorrectly)
    if !judged.isEmpty {
      text += " The trained model predicts the label of \(judged.count { $0 }) of \(judged.count)."
    }
    if cards.count < min(requested, (summary.items + (isHighest ? 1 : 0)) / 2) {
      text += " The run kept images of \(cards.count) of these items."
    }
    return """
      <p class="lead">\(escaped(text))</p>
      <ul class="pictures">\(cards.map { $0.html(memory.card) }.joined(separator: "\n"))</ul>
      """
  }

  // MARK: Classes

  /// The maximum number of classes in an open table; more are shown as a chart.
  private static let listedClasses = 30

  /// The items per class.
  var classes: String {
    let counts = (0..<memory.card.classes).map { (label: $0, count: summary.itemsPerClass[$0] ?? 0) }
      .sorted { ($1.count, $0.label) < ($0.count, $1.label) }
    let table = classTable(counts)
    guard counts.count > Self.listedClasses else { return table }
    return """
      <div class="charts">\(figure(charts.balance, "All \(Figures.count(counts.count)) classes of the model."))</div>
      <details><summary>All classes</summary>\(table)</details>
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
      <div class="wide" tabindex="0" role="region" aria-label="Items per class"><table class="classes">
      <thead><tr><th scope="col">class</th><th scope="col" class="n">items</th><th scope="col" class="n">share</th><td></td></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }
}
