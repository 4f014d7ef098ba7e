import ArgumentParser
import OnePass

struct MemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory",
    abstract: "Inspect and verify the replay memory of a run, and erase examples.",
    subcommands: [InspectMemoryCommand.self, VerifyMemoryCommand.self, ForgetMemoryCommand.self])
}

/// The location of a memory, for the commands that need its images.
struct StoredMemoryOptions: ParsableArguments {
  @Argument(
    help: "Output folder of `train`, finished or not.", completion: .directory)
  var directory: String

  @Option(
    name: .customLong("memory-directory"),
    help: ArgumentHelp(
      "Folder of a memory on disk that was moved after the run.", valueName: "DIR"),
    completion: .directory)
  var memoryDirectory: String?

  @Option(
    name: .customLong("memory-key"),
    help: ArgumentHelp("Key file of an encrypted memory that was moved after the run.", valueName: "FILE"),
    completion: .file())
  var memoryKey: String?

  var location: MemoryLocation { MemoryLocation(directory: memoryDirectory, key: memoryKey) }
}
