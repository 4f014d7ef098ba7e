import ArgumentParser

struct MemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory",
    abstract: "Look at what a run kept of its stream, prove its pass, and have it forget.",
    subcommands: [InspectMemoryCommand.self, VerifyMemoryCommand.self, ForgetMemoryCommand.self])
}

/// Where the memory of a run is, for the commands that need its images.
struct StoredMemoryOptions: ParsableArguments {
  @Argument(
    help: "The folder that `train --output` made, of a finished run or one to go on.", completion: .directory)
  var directory: String

  @Option(
    name: .customLong("memory-directory"),
    help: ArgumentHelp(
      "Where the memory on disk is, if it is no longer where the run had it.", valueName: "DIR"),
    completion: .directory)
  var memoryDirectory: String?
}
