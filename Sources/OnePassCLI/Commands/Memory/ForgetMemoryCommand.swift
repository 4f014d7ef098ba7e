import ArgumentParser
import OnePass
import OnePassCore

struct ForgetMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Erase examples from the memory and the checkpoints of a run.",
    discussion: """
      Removes the examples that match all given options, and overwrites their bytes. All image grids of the memory in \
      TensorBoard event files are removed as well. The request is recorded in forgotten.jsonl, with hashes of the \
      subjects. Model weights are not changed, so the model keeps what it has learned from the examples.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Option(
    name: .customLong("subject"),
    help: ArgumentHelp(
      "Subject of the examples (see train --subject-key); can be repeated.", valueName: "KEY"))
  var subjects: [String] = []

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp("Class of the examples, by name or number.", valueName: "CLASS"))
  var className: String?

  @Option(
    help: ArgumentHelp(
      "Only examples before a position in the stream, a date or a time.", valueName: "N|TIME"))
  var before: String?

  @Option(
    name: .customLong("position"),
    help: ArgumentHelp("Position of an example in the stream; can be repeated.", valueName: "N"))
  var positions: [Int] = []

  @Option(
    help: ArgumentHelp("Text for the record of the request, such as a ticket number.", valueName: "TEXT"))
  var reference: String?

  @Flag(name: .customLong("dry-run"), help: "Print what would be removed, without removing it.")
  var isRehearsal = false

  @Flag(help: "Print the result as JSON.")
  var json = false

  /// What became of copies that the command cannot reach.
  private func encryption(_ keysDestroyed: Int) -> String {
    keysDestroyed > 0
      ? "Keys destroyed: \(Figures.count(keysDestroyed, "subject")). No copy of their images can be read again."
      : "The keys are unchanged, so copies of the images that were made elsewhere can still be read with the key file."
  }

  func run() throws {
    let request = ForgetRequest(
      subjects: Set(subjects), className: className, before: try before.map { try ForgetRequest.Bound($0) },
      positions: Set(positions), reference: reference)
    let forgotten = try Forgetting(
      request, in: stored.directory, at: stored.location, isRehearsal: isRehearsal)
    guard !json else { return try Console.result(JSON.text(forgotten)) }
    let verb = isRehearsal ? "Would remove" : "Removed"
    let places = forgotten.checkpoints.isEmpty ? "" : " from \(forgotten.checkpoints.joined(separator: ", "))"
    try Console.result("\(verb) \(Figures.count(forgotten.positions.count, "item"))\(places).")
    if let keys = forgotten.keysDestroyed, !isRehearsal { try Console.result(encryption(keys)) }
    if let path = forgotten.missingKeyFile {
      try Console.result(
        "No key was destroyed: the key file \(path) does not exist. If it was moved, repeat with --memory-key."
      )
    }
    if forgotten.pictures > 0 {
      let pictures = Figures.count(forgotten.pictures, "picture")
      try Console.result("\(verb) \(pictures) of the memory from the event files.")
    }
    if let first = forgotten.firstUse {
      let older =
        forgotten.olderCheckpoints.last.map { "the checkpoint \($0) is older" } ?? "no checkpoint is older"
      try Console.result(
        "Model weights are not changed. The subject first appeared as example \(Figures.count(first)); \(older)."
      )
    } else if !forgotten.positions.isEmpty {
      try Console.result("Model weights are not changed.")
    }
  }
}
