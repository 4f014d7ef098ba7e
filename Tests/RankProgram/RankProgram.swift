import Foundation
import OnePassCore
import OnePassTorch

/// One rank of a test that needs several: takes part in a scenario and prints what it got, as JSON.
///
/// Started without a launcher's environment it is a single process, which makes the values to compare with.
@main
struct RankProgram {
  static func main() {
    do {
      var arguments = Array(CommandLine.arguments.dropFirst())
      guard !arguments.isEmpty, let scenario = Scenario(rawValue: arguments.removeFirst()) else {
        throw OnePassError(
          .usage, "Name a scenario: \(Scenario.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      let environment = ProcessInfo.processInfo.environment
      // Several ranks share a machine of few cores.
      try Engine.setThreadCount(1)
      var timeouts = ProcessGroup.Timeouts()
      func seconds(_ name: String) -> Duration? {
        environment[name].flatMap(Double.init).map { .seconds($0) }
      }
      timeouts.connecting = seconds("RANK_PROGRAM_CONNECTING") ?? timeouts.connecting
      timeouts.arriving = seconds("RANK_PROGRAM_ARRIVING") ?? timeouts.arriving
      timeouts.answering = seconds("RANK_PROGRAM_ANSWERING") ?? timeouts.answering
      let group = try LaunchEnvironment(environment).map { launch in
        try ProcessGroup(joining: launch, timeouts: timeouts) {
          FileHandle.standardError.write(Data("waiting: \($0.message)\n".utf8))
        }
      }
      let values = try scenario.run(group, arguments)
      try group?.barrier()
      let output = try JSONEncoder().encode(values)
      // One write, so that lines of several ranks do not mix where they share an output.
      FileHandle.standardOutput.write(output + Data("\n".utf8))
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      exit((error as? OnePassError)?.code.exitStatus ?? 1)
    }
  }
}

/// What the ranks do together.
enum Scenario: String, CaseIterable {
  /// Every operation once.
  case collectives
  /// `agreement VALUE…`: each rank has the value of its place.
  case agreement
  /// The same for tensors.
  case weights
  /// `normalisation SIZE…`: each rank has so many images of the batch.
  case normalisation
  /// `gradients sequential|joint SIZE…`: two backward passes, summed after each or once.
  case gradients
  /// `training STEPS RATE SIZE…`: updates at a learning rate, whose losses are printed.
  case training
  /// `loss-of-a-rank HOW RANK`: sums until a rank is killed, hangs or gives up.
  case loss = "loss-of-a-rank"
  /// Fails the first time that torchrun starts it, and says how often it was started.
  case restart

  func run(_ group: ProcessGroup?, _ arguments: [String]) throws -> [String: [Double]] {
    switch self {
    case .collectives: try callEverything(try joined(group))
    case .agreement: try compareTexts(try joined(group), arguments)
    case .weights: try compareWeights(try joined(group))
    case .normalisation: try normalise(group, sizes: arguments.map { Int($0) ?? 0 })
    case .gradients:
      try differentiate(group, updates: arguments[0], sizes: arguments.dropFirst().map { Int($0) ?? 0 })
    case .training:
      try train(
        group, steps: Int(arguments[0]) ?? 0, learningRate: Double(arguments[1]) ?? 0,
        sizes: arguments.dropFirst(2).map { Int($0) ?? 0 })
    case .loss: try loseRank(try joined(group), how: arguments[0], of: Int(arguments[1]) ?? 0)
    case .restart: try startAgain(try joined(group))
    }
  }

  private func joined(_ group: ProcessGroup?) throws -> ProcessGroup {
    guard let group else { throw OnePassError(.usage, "This scenario needs RANK and WORLD_SIZE.") }
    return group
  }
}
