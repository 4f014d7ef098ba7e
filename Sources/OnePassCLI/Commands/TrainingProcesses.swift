import Foundation
import OnePassCore
import OnePassTorch

/// The processes that train together, as torchrun, srun, Kubernetes or a hand started them.
struct TrainingProcesses {
  let group: ProcessGroup
  /// The device of this one.
  let device: String

  var isFirst: Bool { group.rank == 0 }

  /// Meets the others that the environment speaks of; `nil` where it speaks of none, and no network is opened.
  /// - Parameters:
  ///   - device: As it was asked for; each process of a machine takes a GPU of its own.
  ///   - timeout: After which a process that does not answer counts as lost.
  /// - Throws: `OnePassError`, with the rank where it is known.
  static func join(device: String, timeout: Duration) throws -> TrainingProcesses? {
    guard let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment) else { return nil }
    return try Self.naming(launch.rank) {
      var own = try Device(parsing: device)
      if case .cuda = own, device == "auto" || device == "cuda" {
        // A launcher that shows each process a GPU of its own shows it one.
        own = try Device(parsing: "cuda:\(Engine.cudaDeviceCount == 1 ? 0 : launch.localRank)")
      }
      return TrainingProcesses(
        group: try ProcessGroup(
          joining: launch, device: own, timeouts: ProcessGroup.Timeouts(answering: timeout)),
        device: own.description)
    }
  }

  /// Decode threads of each process where nothing is said: the cores of the machine, divided.
  var decodeThreads: Int {
    let local = ProcessInfo.processInfo.environment["LOCAL_WORLD_SIZE"].flatMap { Int($0) } ?? 1
    return max(1, ProcessInfo.processInfo.activeProcessorCount / max(1, local))
  }

  /// Whether any process says so.
  func anyone(_ isSo: Bool) throws -> Bool { try group.sum([isSo ? 1.0 : 0.0])[0] > 0 }

  /// Runs what all of them do. Whoever fails tells the others, so that nobody waits.
  func run(_ body: () throws -> Void) throws {
    try Self.naming(group.rank) {
      do {
        try body()
      } catch let error as OnePassError {
        group.abandon(because: error.message)
        throw error
      } catch {
        group.abandon(because: "\(error)")
        throw error
      }
    }
  }

  private static func naming<Result>(_ rank: Int, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as OnePassError where !error.message.hasPrefix("Rank") {
      throw OnePassError(error.code, "Rank \(rank): \(error.message)", cause: error)
    }
  }
}
