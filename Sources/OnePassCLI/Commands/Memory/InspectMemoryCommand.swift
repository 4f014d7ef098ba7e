import ArgumentParser
import OnePass
import OnePassCore
import OnePassReplay

struct InspectMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show fill, bytes, classes, age, replays and priorities of a run's memory.")

  @Argument(help: "The folder that `train --output` made.", completion: .directory)
  var directory: String

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func run() throws {
    let files = try RunFiles(directory)
    let position = try files.position()
    let summary = try MemoryTable(of: files).summary(examplesSeen: position.examplesSeen)
    guard !json else {
      try Console.result(JSON.text(summary))
      return
    }
    let card = try files.modelCard()
    try Console.result(
      "items       \(Figures.count(summary.items)), \(byteText(summary.imageBytes)) of images")
    if let counters = position.memory {
      try Console.result(
        "peak        \(Figures.count(counters.peakItems)) items, \(byteText(counters.peakBytes)) with index"
      )
      try Console.result(
        "stream      \(Figures.count(counters.examplesSeen)) offered, \(Figures.count(counters.insertions)) taken in, "
          + "\(Figures.count(counters.evictions)) evicted")
      try Console.result(
        "replays     \(Figures.count(counters.draws)) draws of \(Figures.count(counters.distinctDrawn)) different "
          + "examples; \(Figures.count(summary.neverDrawn)) items held were never drawn")
    }
    try Console.result("")
    var figures = TextTable(header: ["", "min", "25 %", "median", "75 %", "max"])
    for (name, quartiles) in [
      ("age (examples)", summary.age), ("replays", summary.draws), ("priority", summary.priority),
      ("loss (nats)", summary.loss),
    ] {
      guard let q = quartiles else { continue }
      figures.rows.append([name] + [q.minimum, q.lower, q.median, q.upper, q.maximum].map(Figures.short))
    }
    try Console.result(figures.text + "\n")
    var classes = TextTable(header: ["class", "items", "share"])
    for (label, count) in summary.itemsPerClass.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) })
      .prefix(20)
    {
      classes.rows.append([
        card.className(label), Figures.count(count), Figures.percent(Double(count) / Double(summary.items)),
      ])
    }
    try Console.result(classes.text)
    if summary.itemsPerClass.count > 20 {
      try Console.result("and \(summary.itemsPerClass.count - 20) classes with fewer items")
    }
  }
}
