import OnePassCore

// Processes that a launcher started incorrectly, or that do not find each other.
extension OnePassError {
  // MARK: Environment variables

  /// - Parameter present: The variables of a launcher that are set.
  static func variableMissing(_ name: String, present: [String]) -> OnePassError {
    OnePassError(
      .usage,
      "\(name) is not set, but \(present.joined(separator: ", ")) \(present.count == 1 ? "is" : "are"); "
        + "set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun does, or none of them for one process."
    )
  }

  static func variableOutOfRange(_ name: String, _ value: String, _ range: ClosedRange<Int>) -> OnePassError {
    let wanted =
      range.upperBound >= Int(Int32.max)
      ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
    return OnePassError(
      .usage, "\(name) must be an integer \(wanted) (got \(value)); let one launcher set it.")
  }

  static func rankOutOfRange(
    _ rank: Int, name: String, worldSize: Int, sizeName: String
  ) -> OnePassError {
    OnePassError(
      .usage,
      "\(name) must be below \(sizeName) (got \(name)=\(rank), \(sizeName)=\(worldSize)); "
        + "let one launcher set both.")
  }

  static func contradictoryLocalSize(localRank: Int, localSize: Int, worldSize: Int) -> OnePassError {
    OnePassError(
      .usage,
      "LOCAL_RANK=\(localRank), LOCAL_WORLD_SIZE=\(localSize) and WORLD_SIZE=\(worldSize) contradict each other; "
        + "let one launcher set all of them.")
  }

  static func noSlurmHost(_ name: String, _ hosts: String) -> OnePassError {
    OnePassError(
      .usage, "\(name)=\(hosts) contains no host name; set MASTER_ADDR to the host of rank 0.")
  }

  // MARK: The store

  static func rank0Unreachable(
    _ address: String, _ port: Int, within timeout: Duration, _ failure: Unreachable
  ) -> OnePassError {
    if case .unknownName(let detail) = failure {
      return OnePassError(
        .temporary,
        "Rank 0 cannot be reached: the host name \(address) is unknown after \(timeout.inSeconds) (\(detail)); "
          + "check MASTER_ADDR and the name server of this machine.")
    }
    return OnePassError(
      .temporary,
      "Rank 0 cannot be reached at \(endpoint(address, port)) within \(timeout.inSeconds) (\(failure.reason)); "
        + "check that it is running and that MASTER_ADDR and MASTER_PORT name its machine and an open port.")
  }

  /// - Parameter detail: The message of libtorch.
  static func portUnavailable(_ address: String, _ port: Int, _ detail: String) -> OnePassError {
    guard !detail.contains("EADDRINUSE") else {
      return OnePassError(
        .io,
        "MASTER_PORT \(port) is in use on the machine of rank 0; "
          + "set a different MASTER_PORT, or end the program that uses this one.")
    }
    return OnePassError(
      .io,
      "MASTER_PORT \(port) cannot be opened on the machine of rank 0, or not be reached at MASTER_ADDR \(address) "
        + "(\(detail.firstLine)); check that MASTER_ADDR names this machine, or set a different MASTER_PORT.")
  }

  static func notTheStore(_ address: String, _ port: Int) -> OnePassError {
    OnePassError(
      .io,
      "The service at \(endpoint(address, port)) is not rank 0 of this run; set a different MASTER_PORT.")
  }

  // MARK: The rendezvous

  static func rank0Exited(cause: any Error) -> OnePassError {
    OnePassError(.io, "Rank 0 exited before all ranks had joined; see the output of rank 0.", cause: cause)
  }

  static func noWelcome(
    rank: Int, _ address: String, _ port: Int, within timeout: Duration, cause: any Error
  ) -> OnePassError {
    OnePassError(
      .temporary,
      "Rank 0 did not respond to rank \(rank) within \(timeout.inSeconds), although the store at "
        + "\(endpoint(address, port)) is reachable; check that rank 0 is running and belongs to this run.",
      cause: cause)
  }

  /// - Parameter verdict: The message of the error found by rank 0.
  static func rendezvousFailed(_ verdict: String, isTemporary: Bool) -> OnePassError {
    OnePassError(isTemporary ? .temporary : .usage, verdict)
  }

  static func ranksMissing(
    _ absent: [Int], of worldSize: Int, within timeout: Duration, launcher: LaunchEnvironment.Launcher
  ) -> OnePassError {
    let remedy =
      launcher == .slurm
      ? "start the program with srun, which starts every task of the job"
      : "check that every rank was started with the same MASTER_ADDR and MASTER_PORT"
    return OnePassError(
      .temporary,
      "\(RankList(absent).capitalised) of \(worldSize) did not join within \(timeout.inSeconds); \(remedy).")
  }

  static func differentWorldSizes(rank: Int, _ size: String, rank0: Int) -> OnePassError {
    OnePassError(
      .usage,
      "Rank \(rank) was started with WORLD_SIZE=\(size), and rank 0 with \(rank0); "
        + "start all ranks with the same WORLD_SIZE.")
  }

  static func differentVersions(rank: Int, _ version: String, rank0: String) -> OnePassError {
    OnePassError(
      .usage,
      "Rank \(rank) uses libtorch \(version), and rank 0 uses \(rank0); install the same version on every machine."
    )
  }

  static func cannotConnect(rank: Int, _ detail: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io,
      "Rank \(rank) cannot connect to the other ranks (\(detail)); check that their machines can reach each other, "
        + "or name the network interface in GLOO_SOCKET_IFNAME.", cause: cause)
  }
}
