import ArgumentParser
import OnePass
import OnePassCore

struct VerifyMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Verify from the ledger that each example was seen exactly once.",
    discussion: """
      The ledger has the position and a hash of each example that was read from the stream. The images of the memory \
      are compared with it. Duplicates in the source itself are listed. The exit status is 65 if the verification fails.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    let verification = try PassVerification(of: stored.directory, memoryDirectory: stored.memoryDirectory)
    if json { try Console.result(JSON.text(verification)) } else { try show(verification) }
    guard verification.faults.isEmpty else { throw ExitCode(OnePassError.Code.badData.exitStatus) }
  }

  private func show(_ found: PassVerification) throws {
    let isWhole = found.faults.isEmpty
    try Console.result(
      "stream      \(Figures.count(found.examples, "example"))"
        + (isWhole ? ", each seen once, none skipped" : ""))
    try Console.result("source      \(duplicates(found))")
    var memory: [String] = []
    if found.items > 0 { memory.append("\(Figures.count(found.items, "item")) match the ledger") }
    if found.itemsByPosition > 0 {
      memory.append(
        "\(Figures.count(found.itemsByPosition, "item")) match by position only (image re-encoded or not kept)"
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
    guard !found.duplicates.isEmpty else { return "no duplicates" }
    let few = found.duplicates.prefix(5).map { "\($0.position) = \($0.original)" }.joined(
      separator: ", ")
    let more = found.duplicates.count > 5 ? ", …" : ""
    return "\(Figures.count(found.duplicates.count, "duplicate")) by position: \(few)\(more)"
  }
}
