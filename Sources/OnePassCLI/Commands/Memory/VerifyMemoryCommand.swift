import ArgumentParser
import OnePass
import OnePassCore

struct VerifyMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Verify from the ledger that each example was seen exactly once.",
    discussion: """
      The ledger has the position and a hash of each example that was read from the stream. Positions must be complete \
      and without repetition; contents that repeat are listed. The images of the memory are compared with the ledger.

      With --data, the data is read again in the order of the run, and each example is compared with the ledger. Only then \
      do repeated contents belong to the data itself.

      The exit status is 65 if the verification fails.
      """)

  @OptionGroup var stored: StoredMemoryOptions

  @Option(
    help: ArgumentHelp("Data of the run, to be read again and compared.", valueName: "SPEC"),
    completion: .specification)
  var data: String?

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    var verification = try PassVerification(of: stored.directory, at: stored.location)
    if let data {
      try verification.compare(
        withData: data, of: stored.directory, at: stored.location)
    }
    if json { try Console.result(JSON.text(verification)) } else { try show(verification) }
    guard verification.faults.isEmpty else { throw ExitCode(OnePassError.Code.badData.exitStatus) }
  }

  private func show(_ found: PassVerification) throws {
    let isWhole = found.faults.isEmpty
    try Console.result(
      "stream      \(Figures.count(found.examples, "example"))"
        + (isWhole ? ", each position seen once, none skipped" : ""))
    try Console.result("contents    \(contents(found))")
    for gap in found.gaps ?? [] {
      try Console.result(
        "gap         before example \(Figures.count(gap.position)): continued with \(gap.source)")
    }
    if let compared = found.compared {
      try Console.result("data        \(Figures.count(compared, "example")) match the ledger")
    }
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

  private func contents(_ found: PassVerification) -> String {
    guard found.repeated > 0 else { return "all different" }
    let few = found.duplicates.prefix(5).map { "\($0.position) = \($0.original)" }.joined(
      separator: ", ")
    let more = found.repeated > 5 ? ", …" : ""
    let origin =
      found.compared == found.examples
      ? "in the data" : "in the data or taken again; pass --data SPEC to find out"
    return
      "\(Figures.count(found.examples - found.repeated)) different, \(Figures.count(found.repeated)) repeated "
      + "(\(origin)): \(few)\(more)"
  }
}
