import Foundation
import OnePassCore
import OnePassTorch

/// The processes of distributed training, started by torchrun, srun, Kubernetes or by hand.
struct TrainingProcesses {
  let group: ProcessGroup
  /// The device of this process.
  let device: String

  var isFirst: Bool { group.rank == 0 }

  /// The rank of this process; `nil` if it is the only one.
  /// - Throws: `OnePassError` (`usage`) if the environment of a launcher is contradictory.
  static var rank: Int? {
    get throws {
      let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment)
      return launch.flatMap { $0.worldSize > 1 ? $0.rank : nil }
    }
  }

  /// Joins the process group of the environment variables; `nil` without such variables, and then no network is used.
  /// - Parameters:
  ///   - device: The requested device; `auto` and `cuda` give each process of a machine its own GPU.
  ///   - timeouts: The times to wait for other processes.
  ///   - waiting: Receives notices about processes that have not joined yet.
  /// - Throws: `OnePassError`, with the rank in its message.
  static func join(
    device: String, timeouts: ProcessGroup.Timeouts, waiting: @escaping (ProcessGroup.Waiting) -> Void
  ) throws -> TrainingProcesses? {
    guard let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment) else { return nil }
    return try Self.naming(launch.rank) {
      try Engine.load()
      var own = try Device(parsing: device)
      if case .cuda = own, device == "auto" || device == "cuda" {
        // A single visible GPU means that the launcher has already assigned one to each process.
        own = try Device(parsing: "cuda:\(Engine.cudaDeviceCount == 1 ? 0 : launch.localRank)")
      }
      return TrainingProcesses(
        group: try ProcessGroup(joining: launch, device: own, timeouts: timeouts, waiting: waiting),
        device: own.description)
    }
  }

  /// The default number of decode threads of each process: its share of the cores that they may use.
  var decodeThreads: Int {
    let local = ProcessInfo.processInfo.environment["LOCAL_WORLD_SIZE"].flatMap { Int($0) } ?? 1
    return max(1, AvailableProcessors.current.count / max(1, local))
  }

  /// Whether the value is true on any process.
  func anyone(_ isSo: Bool) throws -> Bool { try group.sum([isSo ? 1.0 : 0.0])[0] > 0 }

  /// Runs the same work on all processes. A failure is reported to the others, so that none of them waits.
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
      throw OnePassError.onRank(rank, error)
    }
  }
}
