import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassTorch

/// Runs the program `onepass`, and never returns.
/// - Parameters:
///   - commit: The hash of the commit that the program is built from; `nil` if unknown.
///   - isModified: Whether tracked files differ from that commit.
///   - arguments: The program and its arguments.
package func runOnePass(
  commit: String?, isModified: Bool?, arguments: [String] = CommandLine.arguments
) {
  SourceRevision.current = commit.map { SourceRevision(commit: $0, isModified: isModified ?? false) }
  OnePassCommand.run(arguments: Array(arguments.dropFirst()))
}

struct OnePassCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "onepass",
    abstract: "Train an image classifier in one pass over a stream.",
    discussion: """
      OnePass trains with a replay memory of limited size (Hu et al. 2021, One Pass ImageNet) and measures \
      accuracy, storage and compute.

      Example:
        onepass train --data fashion-mnist --eval-data fashion-mnist:test \\
          --model resnet8 --storage 10% --replay-steps 3 --output runs/first

      Exit status:
        0   success
        64  invalid arguments
        65  invalid data
        68  a broker has no such stream
        69  libtorch or the client library of a broker cannot be loaded
        70  failure of the program or of libtorch
        74  a file or stream cannot be read or written
        75  a run was stopped and saved, and --resume continues it; or ranks did not
            join in time
        77  a broker refused the user, the password or the certificate
      """,
    version: SourceRevision.describe(
      version: onePassVersion, commit: SourceRevision.current?.commit,
      isModified: SourceRevision.current?.isModified),
    subcommands: [
      TrainCommand.self, EvaluateCommand.self, PredictCommand.self, ReportRunCommand.self,
      CompareCommand.self, ExperimentCommand.self, PackCommand.self, SendCommand.self, MemoryCommand.self,
      ServeCommand.self,
    ])

  static func run(arguments: [String]) {
    let arguments = joiningNegativeNumbers(arguments)
    // Errors without a status of their own are usage errors while parsing, and engine errors afterwards.
    if arguments.first == TrainCommand.configuration.commandName {
      Console.form = ProgressStyle(unparsed: arguments).form(rank: nil)
    }
    var command = ending(otherwise: .usage) {
      let command = try parseAsRoot(arguments)
      guard let train = command as? TrainCommand else { return command }
      return try train.withFile(arguments: Array(arguments.dropFirst()))
    }
    Engine.keepFreedMemory()
    ending(otherwise: .engine) { try command.run() }
    end(0)
  }

  /// Joins an option and a negative number behind it, as `--learning-rate=-0.1`, so that the value is refused by its range. The
  /// parser would take the number for an option.
  static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
    var joined: [String] = []
    for argument in arguments {
      if argument.hasPrefix("-"), Double(argument) != nil, let option = joined.last, option.hasPrefix("--"),
        option != "--", !option.contains("=")
      {
        joined[joined.count - 1] = "\(option)=\(argument)"
      } else {
        joined.append(argument)
      }
    }
    return joined
  }

  /// Ends the program without libtorch's destructors, which take about 80 ms to free memory that the system frees anyway.
  private static func end(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
  }

  /// Runs `body`. If it fails, prints the error message and ends the program with its exit status.
  /// - Parameter code: The code of errors without a status of their own.
  private static func ending<Result>(
    otherwise code: OnePassError.Code, _ body: () throws -> Result
  ) -> Result {
    do { return try body() } catch let error as OnePassError {
      Console.failure("Error: \(error.message)", status: error.code.exitStatus)
      end(error.code.exitStatus)
    } catch {
      let status = exitCode(for: error)
      let message = fullMessage(for: error)
      // The output of --help and --version is a result.
      guard status != .success else {
        end((try? Console.result(message)) == nil ? OnePassError.Code.io.exitStatus : 0)
      }
      let number = status == .failure ? code.exitStatus : status.rawValue
      if !message.isEmpty { Console.failure(message, status: number) }
      end(number)
    }
  }
}
