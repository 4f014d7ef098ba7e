import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

struct InspectMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show fill, bytes, classes, age, replays and priorities of a run's memory.",
    discussion: """
      Of a run that is training, or was broken off, its last checkpoint is shown. Nothing is changed.

      The page holds copies of images of the stream: `memory forget` does not know of it. It takes the place of an earlier page
      of the same run, and of nothing else.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Option(
    defaultAsFlag: "memory.html",
    help: ArgumentHelp(
      "Write a page with charts, and pictures of the highest and lowest priorities (default: memory.html).",
      valueName: "FILE"),
    completion: .file(extensions: ["html"]))
  var html: String?

  @Option(
    help: ArgumentHelp(
      "How many pictures of each end the page shows, as far as the run keeps them.", valueName: "N"))
  var pictures = 24

  @Flag(
    inversion: .prefixedNo, help: "Whether the page says what the model takes the pictures for.")
  var predictions = true

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func run() throws {
    try OptionRange.between(0, 500).check("--pictures", pictures)
    let memory = try StoredMemory(of: stored.directory, memoryDirectory: stored.memoryDirectory)
    if json {
      try Console.result(JSON.text(MemoryFigures(memory, extremes: pictures)))
    } else if html == nil {
      try Console.result(MemoryText(memory).text)
    }
    guard let html else { return }
    let page = MemoryPage(memory, pictures: pictures, predicting: predictions)
    try page.write(to: html)
    let what =
      page.pictureCount == 0 ? page.absence ?? "no pictures" : Figures.count(page.pictureCount, "picture")
    let sentence = "\(html): \(Figures.count(memory.items.count, "item")), \(what)"
    if json { Console.error(sentence) } else { try Console.result(sentence) }
  }
}
