import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassTorch

/// The program `onepass`, which never returns.
/// - Parameters:
///   - commit: The commit it is built from, where it is known.
///   - isModified: Whether tracked files differed from that.
package func runOnePass(commit: String?, isModified: Bool?) {
  SourceRevision.current = commit.map { SourceRevision(commit: $0, isModified: isModified ?? false) }
  OnePassCommand.main()
}

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
    version: SourceRevision.describe(
      version: onePassVersion, commit: SourceRevision.current?.commit,
      isModified: SourceRevision.current?.isModified),
    subcommands: [
      TrainCommand.self, EvaluateCommand.self, PredictCommand.self, CompareCommand.self,
      ExperimentCommand.self, PackCommand.self, MemoryCommand.self,
    ])

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    // Whatever is wrong with the arguments is the request's fault, whatever happens afterwards is not.
    var command = ending(otherwise: .usage) {
      let command = try parseAsRoot(arguments)
      guard let train = command as? TrainCommand else { return command }
      return try train.withFileAndPreset(arguments: Array(arguments.dropFirst()))
    }
    Engine.keepFreedMemory()
    ending(otherwise: .engine) { try command.run() }
    end(0)
  }

  /// Ends the program without libtorch's destructors, which take some 80 ms to free what the system frees at once.
  private static func end(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
  }

  /// Does a part of the work. Where it fails, the program ends with the sentence and the status of the failure.
  /// - Parameter code: Of an error that has no status of its own.
  private static func ending<Result>(
    otherwise code: OnePassError.Code, _ body: () throws -> Result
  ) -> Result {
    do { return try body() } catch let error as OnePassError {
      Console.failure("Error: \(error.message)")
      end(error.code.exitStatus)
    } catch {
      let status = exitCode(for: error)
      let message = fullMessage(for: error)
      // What was asked for by --help and its like is a result.
      guard status != .success else {
        end((try? Console.result(message)) == nil ? OnePassError.Code.io.exitStatus : 0)
      }
      if !message.isEmpty { Console.failure(message) }
      end(status == .failure ? code.exitStatus : status.rawValue)
    }
  }
}
