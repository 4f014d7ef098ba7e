import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassTorch

@main
struct OnePassCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "onepass",
    abstract: "Train an image classifier on a stream that passes once.",
    discussion: """
      OnePass keeps a small, stated part of the stream in a replay memory and measures what that costs: \
      accuracy, storage and compute (Hu et al. 2021, One Pass ImageNet).

      Try it:
        onepass train --data fashion-mnist --eval-data fashion-mnist:test \\
          --model resnet8 --storage 10% --replay-steps 3 --output runs/first

      Exit status: 0 done, 64 the request makes no sense, 65 the data is broken, 70 the program or the \
      engine failed, 74 a file could not be read or written.
      """,
    version: onePassVersion,
    subcommands: [
      TrainCommand.self, EvaluateCommand.self, PredictCommand.self, CompareCommand.self,
      ExperimentCommand.self, PackCommand.self, MemoryCommand.self,
    ])

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      var command = try parseAsRoot(arguments)
      if let train = command as? TrainCommand {
        command = try train.withConfigurationFile(arguments: Array(arguments.dropFirst()))
      }
      Engine.keepFreedMemory()
      try command.run()
    } catch let error as OnePassError {
      Console.failure("Error: \(error.message)")
      Foundation.exit(error.code.exitStatus)
    } catch {
      // What was asked for by --help and its like is a result.
      guard exitCode(for: error) != .success else { exit(withError: error) }
      let message = fullMessage(for: error)
      if !message.isEmpty { Console.failure(message) }
      Foundation.exit(exitCode(for: error).rawValue)
    }
  }
}
