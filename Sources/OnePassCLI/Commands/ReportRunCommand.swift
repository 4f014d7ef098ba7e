import ArgumentParser
import OnePass
import OnePassCore
import OnePassExperiments

struct ReportRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write an HTML page about one run.",
    discussion: """
      The page has accuracy, storage and compute, the curves, the memory by class and age, its hardest and easiest \
      examples, the accuracy by class, and the configuration. It is a single file that needs no network. An unfinished run \
      is shown as of its last checkpoint. `train` writes the same page without images.

      If the run kept images of its memory (--keep-pictures), the page contains copies of them. `memory forget` removes \
      report.html in the folder of the run, but no page elsewhere.

      For several runs, see `onepass experiment report`.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Option(
    help: ArgumentHelp(
      "File of the page (default: report.html in the folder of the run).", valueName: "FILE"),
    completion: .file(extensions: ["html"]))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Number of images on the page with the highest priorities, and with the lowest, if the run kept them.",
      valueName: "N"))
  var pictures = 24

  func run() throws {
    try OptionRange.between(0, 500).check("--pictures", pictures)
    let path = output ?? "\(stored.directory)/\(RunFiles.pageName)"
    let page = try RunPage(
      RunView(of: stored.directory, at: stored.location), pictures: pictures)
    try page.write(to: path)
    try Console.result("\(path): \(Figures.count(page.pictureCount, "image"))")
  }
}
