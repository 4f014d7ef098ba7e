import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

struct InspectMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show statistics of the memory of a run.",
    discussion: """
      Prints fill, size, classes, age, replays and priorities. For an unfinished run, shows its last checkpoint. \
      Changes nothing.

      The page of --html contains copies of images, which `memory forget` does not remove. It replaces an earlier page \
      of the same run, but no other file.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Option(
    defaultAsFlag: "memory.html",
    help: ArgumentHelp(
      "Write an HTML page with charts and the images with the highest and lowest priorities.",
      valueName: "FILE"),
    completion: .file(extensions: ["html"]))
  var html: String?

  @Option(
    help: ArgumentHelp(
      "Number of images on the page with the highest priorities, and with the lowest, if the run kept them.",
      valueName: "N"))
  var pictures = 24

  @Flag(
    inversion: .prefixedNo, help: "Show the predicted class of each image on the page.")
  var predictions = true

  @Flag(help: "Print the statistics as JSON.")
  var json = false

  func run() throws {
    try OptionRange.between(0, 500).check("--pictures", pictures)
    let memory = try StoredMemory(of: stored.directory, at: stored.location)
    if json {
      try Console.result(JSON.text(MemoryFigures(memory, extremes: pictures)))
    } else if html == nil {
      try Console.result(MemoryText(memory).text)
    }
    guard let html else { return }
    let page = MemoryPage(memory, pictures: pictures, predicting: predictions)
    try page.write(to: html)
    let line =
      "\(html): \(Figures.count(memory.items.count, "item")), \(Figures.count(page.pictureCount, "image"))"
    if json { Console.error(line) } else { try Console.result(line) }
    if page.pictureCount == 0, let absence = page.absence { Console.note(absence) }
  }
}
