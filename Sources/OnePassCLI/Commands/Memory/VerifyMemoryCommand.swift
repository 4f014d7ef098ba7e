import ArgumentParser
import OnePass
import OnePassCore

struct VerifyMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove from the ledger that no example was taken twice and none skipped.",
    discussion: """
      The ledger holds the position and a hash of each example that was taken from the stream. Every image of the memory \
      is held against it. Examples that the source itself holds twice are listed. Ends with status 65 if anything is wrong.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func run() throws {
    let verification = try PassVerification(of: stored.directory, memoryDirectory: stored.memoryDirectory)
    if json { try Console.result(JSON.text(verification)) } else { try show(verification) }
    guard verification.faults.isEmpty else { throw ExitCode(OnePassError.Code.badData.exitStatus) }
  }

  private func show(_ found: PassVerification) throws {
    let isWhole = found.faults.isEmpty
    try Console.result(
      "stream      \(Figures.count(found.examples)) examples"
        + (isWhole ? ", each taken once, none skipped" : ""))
    try Console.result("source      \(duplicates(found))")
    var memory: [String] = []
    if found.items > 0 { memory.append("\(Figures.count(found.items)) items are what passed") }
    if found.itemsByPosition > 0 {
      memory.append(
        "\(Figures.count(found.itemsByPosition)) passed by their positions (kept in another form, or not at all)"
      )
    }
    if !memory.isEmpty {
      let places = found.checkpoints.joined(separator: ", ")
      try Console.result("memory      \(memory.joined(separator: ", ")), in \(places)")
    }
    for fault in found.faults.prefix(20) { Console.error(fault) }
    if found.faults.count > 20 { Console.error("and \(found.faults.count - 20) more") }
  }

  private func duplicates(_ found: PassVerification) throws -> String {
    guard !found.duplicates.isEmpty else { return "no example is in it twice" }
    let few = found.duplicates.prefix(5).map { "\($0.position) is \($0.original) again" }.joined(
      separator: ", ")
    let more = found.duplicates.count > 5 ? ", …" : ""
    return "\(Figures.count(found.duplicates.count)) of its examples are in it more than once: \(few)\(more)"
  }
}
