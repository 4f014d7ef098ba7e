import OnePass
import OnePassCore
import OnePassReplay

/// The contents of a memory as text.
struct MemoryText {
  let memory: StoredMemory
  private let summary: MemorySummary

  /// The maximum number of classes in one table; of more, only the largest and the smallest are listed.
  private static let listedClasses = 20
  /// The number of items with the highest priorities, and with the lowest.
  private static let listedItems = 5

  init(_ memory: StoredMemory) {
    self.memory = memory
    summary = memory.summary
  }

  var text: String {
    guard !memory.items.isEmpty else { return lead + "\n\nThe memory is empty." }
    return ([lead, spread, replays, priorities] + extremes + classes).joined(separator: "\n\n")
  }

  // MARK: Summary

  private var lead: String {
    var lines: [(String, String)] = []
    switch memory.stage {
    case .finished: lines.append(("run", "finished after \(Figures.count(memory.examplesSeen, "example"))"))
    case .unfinished(let step, let steps, let checkpoint):
      lines.append(
        (
          "run",
          "not finished: \(RunStage.text(step, of: steps)), "
            + "\(Figures.count(memory.examplesSeen, "example")) (checkpoint \(checkpoint))"
        ))
    }
    lines.append(("items", items))
    if let counters = memory.counters {
      lines.append(("bytes", bytes(counters)))
      lines.append(("stream", stream(counters)))
      lines.append(
        (
          "replays",
          "\(Figures.count(counters.draws)) of \(Figures.count(counters.distinctDrawn)) distinct examples; "
            + "\(Figures.count(summary.neverDrawn)) of the items were never replayed"
        ))
    }
    if let recognised = summary.recognised {
      lines.append(
        (
          "predictions",
          "\(Figures.count(recognised)) of the items were predicted correctly when their prediction was stored"
        ))
    }
    lines.append(("classes", balance))
    lines.append(
      ("arrival", "\(Self.sparkline(summary.arrivals))  items from the start to the end of the stream"))
    return lines.map { $0.padded(to: 12) + $1 }.joined(separator: "\n")
  }

  private var items: String {
    let count = Figures.count(summary.items)
    guard let fill = memory.fill else { return count }
    if let capacity = memory.plan?.capacityExamples {
      return "\(count) of \(Figures.count(capacity)): \(Figures.percent(fill)) full"
    }
    return count
  }

  private func bytes(_ counters: MemoryCounters) -> String {
    let held = "\(byteText(counters.bytes)) with index, \(byteText(summary.imageBytes)) of images"
    let peak = "peak \(byteText(counters.peakBytes))"
    guard let capacity = memory.plan?.capacityBytes, let fill = memory.fill else { return "\(held); \(peak)" }
    return "\(held); \(peak) of \(byteText(capacity)), now \(Figures.percent(fill)) full"
  }

  private func stream(_ counters: MemoryCounters) -> String {
    var parts = [
      "\(Figures.count(counters.examplesSeen)) offered", "\(Figures.count(counters.insertions)) inserted",
      "\(Figures.count(counters.evictions)) evicted",
    ]
    if counters.forgotten > 0 { parts.append("\(Figures.count(counters.forgotten)) forgotten") }
    if counters.oversized > 0 { parts.append("\(Figures.count(counters.oversized)) too large") }
    return parts.joined(separator: ", ")
  }

  private var balance: String {
    let balance = memory.balance
    let held =
      balance.held == balance.classes
      ? "all \(Figures.count(balance.classes))"
      : "\(Figures.count(balance.held)) of \(Figures.count(balance.classes))"
    guard let items = balance.itemsPerClass else { return held }
    return
      "\(held), from \(Figures.count(Int(items.minimum))) to \(Figures.count(Int(items.maximum))) items each; "
      + "effective number \(Figures.short(balance.effectiveClasses))"
  }

  // MARK: Tables

  private var spread: String {
    var table = TextTable(header: ["", "min", "25 %", "median", "75 %", "max"])
    for (name, quartiles) in [
      ("age (examples)", summary.age), ("replays", summary.draws), ("priority", summary.priority),
      ("\(memory.lossTitle) (nats)", summary.loss), ("items per class", memory.balance.itemsPerClass),
    ] {
      guard let q = quartiles else { continue }
      table.rows.append(
        [name] + [q.minimum, q.lower, q.median, q.upper, q.maximum].map(Figures.wholeOrShort))
    }
    return table.text
  }

  private var replays: String {
    bars(
      "replays",
      summary.replays.counts.enumerated().map { (MemorySummary.ReplayHistogram.name(ofBin: $0), $1) })
  }

  /// Ten bins, each of two bins of the histogram.
  private var priorities: String {
    let histogram = memory.priorities
    let bins = stride(from: 0, to: histogram.counts.count, by: 2).map { part in
      let (low, high) = (histogram.range(of: part).lowerBound, histogram.range(of: part + 1).upperBound)
      return (
        "\(Figures.short(low)) – \(Figures.short(high))", histogram.counts[part] + histogram.counts[part + 1]
      )
    }
    return bars("priority", bins)
  }

  private func bars(_ title: String, _ bins: [(name: String, count: Int)]) -> String {
    let most = bins.map(\.count).max() ?? 0
    var table = TextTable(header: [title, "items", "share", ""], isText: [true, false, false, true])
    for (name, count) in bins {
      let length = most == 0 ? 0 : (Double(count) / Double(most) * 30).rounded(.up)
      table.rows.append([
        name, Figures.count(count), Figures.percent(Double(count) / Double(max(1, summary.items))),
        String(repeating: "█", count: Int(length)),
      ])
    }
    return table.text
  }

  private var extremes: [String] {
    let ends = PriorityExtremes(of: memory.items, count: Self.listedItems)
    return [("highest priorities", ends.highest), ("lowest priorities", ends.lowest)].filter { !$1.isEmpty }
      .map { title, items in
        let keepsPredictions = summary.recognised != nil
        var table = TextTable(
          header: [title, memory.lossTitle, "priority", "replays", "position"]
            + (keepsPredictions ? ["predicted"] : []),
          isText: [true, false, false, false, false] + (keepsPredictions ? [true] : []))
        for item in items {
          table.rows.append(
            [
              name(item.label), Figures.loss(Double(item.loss)), Figures.decimal(Double(item.priority)),
              Figures.count(item.draws), Figures.count(item.id),
            ] + (keepsPredictions ? [predicted(item)] : []))
        }
        return table.text
      }
  }

  /// The most likely class of the stored prediction, with its probability.
  private func predicted(_ item: MemoryItem) -> String {
    guard let prediction = item.storedPrediction else { return "" }
    return "\(name(prediction.classes[0])), \(Figures.percent(Double(prediction.probabilities[0])))"
  }

  private var classes: [String] {
    let counts = (0..<memory.card.classes).map { (label: $0, count: summary.itemsPerClass[$0] ?? 0) }
      .sorted { ($1.count, $0.label) < ($0.count, $1.label) }
    func table(_ title: String, _ rows: some Sequence<(label: Int, count: Int)>) -> String {
      var table = TextTable(header: [title, "items", "share"], isText: [true, false, false])
      for (label, count) in rows {
        table.rows.append([
          name(label), Figures.count(count), Figures.percent(Double(count) / Double(summary.items)),
        ])
      }
      return table.text
    }
    guard counts.count > Self.listedClasses else { return [table("class", counts)] }
    let few = Self.listedClasses / 4
    return [
      table("largest classes", counts.prefix(few)), table("smallest classes", counts.suffix(few).reversed()),
    ]
  }

  /// The name of a class, without control characters and at most 40 characters long.
  private func name(_ label: Int) -> String {
    let name = String(
      memory.card.className(label).unicodeScalars.map {
        $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
          ? "\u{FFFD}" : Character($0)
      })
    return name.count > 40 ? name.prefix(39) + "…" : name
  }

  private static func sparkline(_ counts: [Int]) -> String {
    let marks = Array("▁▂▃▄▅▆▇█")
    let most = counts.max() ?? 0
    return String(
      counts.map { most == 0 || $0 == 0 ? "·" : marks[min(marks.count - 1, $0 * marks.count / (most + 1))] })
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
