import ArgumentParser
import OnePass
import OnePassCore

struct ForgetMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Remove examples from a run's memory and its checkpoints, and overwrite their bytes.",
    discussion: """
      What is given has to apply together. The request is noted in the run's forgotten.jsonl, with hashes of the subjects. \
      Pictures of the memory in the run's event files go as well, all of them. Weights are not unlearned: what a model has learned from an example stays in it.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Option(
    name: .customLong("subject"),
    help: ArgumentHelp(
      "Whom the examples are about (see train --subject-key); can be repeated.", valueName: "KEY"))
  var subjects: [String] = []

  @Option(
    name: .customLong("class"), help: ArgumentHelp("Their class, by name or number.", valueName: "CLASS"))
  var className: String?

  @Option(
    help: ArgumentHelp(
      "Those that came before a position of the stream, a day or a time.", valueName: "N|TIME"))
  var before: String?

  @Option(
    name: .customLong("position"),
    help: ArgumentHelp("Their position in the stream; can be repeated.", valueName: "N"))
  var positions: [Int] = []

  @Option(help: ArgumentHelp("What the log says of the request, such as a ticket.", valueName: "TEXT"))
  var reference: String?

  @Flag(name: .customLong("dry-run"), help: "Only tell what would be removed.")
  var isRehearsal = false

  @Flag(help: "Print what was removed as JSON.")
  var json = false

  func run() throws {
    let request = ForgetRequest(
      subjects: Set(subjects), className: className, before: try before.map { try ForgetRequest.Bound($0) },
      positions: Set(positions), reference: reference)
    let forgotten = try Forgetting(
      request, in: stored.directory, memoryDirectory: stored.memoryDirectory, isRehearsal: isRehearsal)
    guard !json else { return try Console.result(JSON.text(forgotten)) }
    let verb = isRehearsal ? "Would remove" : "Removed"
    let places = forgotten.checkpoints.isEmpty ? "" : " from \(forgotten.checkpoints.joined(separator: ", "))"
    let count = forgotten.positions.count
    try Console.result("\(verb) \(Figures.count(count)) \(count == 1 ? "item" : "items")\(places).")
    if forgotten.pictures > 0 {
      let pictures = Figures.count(forgotten.pictures, "picture")
      try Console.result("\(verb) \(pictures) of the memory from the run's event files.")
    }
    if let first = forgotten.firstUse {
      let older =
        forgotten.olderCheckpoints.last.map { "\($0) is older" } ?? "no checkpoint that is kept is older"
      try Console.result(
        "The weights are not unlearned: the subject first passed as example \(Figures.count(first)), and \(older)."
      )
    } else if !forgotten.positions.isEmpty {
      try Console.result("The weights are not unlearned.")
    }
  }
}
