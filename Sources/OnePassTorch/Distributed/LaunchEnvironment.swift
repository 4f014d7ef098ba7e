import OnePassCore

/// Which of how many processes this one is, and where all of them meet, as a launcher says it in the environment.
///
/// torchrun, Kubernetes' PyTorchJob and whoever starts processes by hand set RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR
/// and MASTER_PORT, as `torch.distributed` reads them (`init_method="env://"`). Slurm's srun sets SLURM_PROCID,
/// SLURM_LOCALID, SLURM_NTASKS and SLURM_NODELIST; they count where RANK and WORLD_SIZE are absent, and the first host
/// of the list is then the meeting point unless MASTER_ADDR names another.
///
/// ```swift
/// let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment)
/// print(launch.map { "rank \($0.rank) of \($0.worldSize)" } ?? "one process")
/// ```
public struct LaunchEnvironment: Hashable, Sendable {
  /// Who started the processes; it decides what a sentence about a missing one advises.
  public enum Launcher: Hashable, Sendable {
    /// RANK and its companions, set by whatever tool or hand.
    case standard
    /// torchrun, whose agent serves the store.
    case torchrun
    case slurm
  }

  /// This process, 0 ..< `worldSize`.
  public let rank: Int
  /// This process among those of its machine, from 0: which GPU it takes.
  public let localRank: Int
  /// The number of processes, 1 or more.
  public let worldSize: Int
  /// The host at which the store of keys and values is served.
  public let masterAddress: String
  /// Its port, 1 … 65535.
  public let masterPort: Int
  public let launcher: Launcher

  /// Whether this process serves the store: rank 0, unless torchrun's agent does.
  public var servesStore: Bool { rank == 0 && launcher != .torchrun }

  /// For a program that starts its processes itself.
  /// - Precondition: the values are in their ranges.
  public init(
    rank: Int, localRank: Int, worldSize: Int, masterAddress: String, masterPort: Int,
    launcher: Launcher = .standard
  ) {
    precondition(worldSize >= 1 && (0..<worldSize).contains(rank), "A rank is one of the processes.")
    precondition((1...65535).contains(masterPort), "A port is a number from 1 to 65535.")
    self.rank = rank
    self.localRank = localRank
    self.worldSize = worldSize
    self.masterAddress = masterAddress
    self.masterPort = masterPort
    self.launcher = launcher
  }

  /// What the environment says; `nil` where it says nothing, and there is one process that needs no network.
  /// - Parameter variables: The environment; a variable that is empty counts as absent.
  /// - Throws: `OnePassError` (`usage`) for a variable that is missing beside the others, is no number or contradicts another.
  public init?(_ variables: [String: String]) throws {
    let variables = Variables(variables)
    if variables.has("RANK") || variables.has("WORLD_SIZE") {
      try self.init(standard: variables)
    } else if variables.has("SLURM_PROCID"), variables.has("SLURM_NTASKS") {
      try self.init(slurm: variables)
    } else {
      return nil
    }
  }

  private init(standard variables: Variables) throws {
    let usesAgentStore = variables["TORCHELASTIC_USE_AGENT_STORE"] == "True"
    let rank = try variables.number("RANK", in: 0...Int(Int32.max))
    try self.init(
      rank: rank, rankName: "RANK",
      // Kubernetes starts one process on each machine and says no more.
      localRank: variables.has("LOCAL_RANK") ? variables.number("LOCAL_RANK", in: 0...1023) : 0,
      worldSize: variables.number("WORLD_SIZE", in: 1...Int(Int32.max)), sizeName: "WORLD_SIZE",
      masterAddress: variables.text("MASTER_ADDR"),
      masterPort: variables.number("MASTER_PORT", in: 1...65535),
      launcher: usesAgentStore ? .torchrun : .standard)
    if variables.has("LOCAL_WORLD_SIZE") {
      let localSize = try variables.number("LOCAL_WORLD_SIZE", in: 1...Int(Int32.max))
      guard localRank < localSize, localSize <= worldSize else {
        throw OnePassError(
          .usage,
          "LOCAL_RANK is \(localRank), LOCAL_WORLD_SIZE \(localSize) and WORLD_SIZE \(worldSize), which contradict each "
            + "other: let one launcher set them all.")
      }
    }
  }

  private init(slurm variables: Variables) throws {
    let host: String
    if variables.has("MASTER_ADDR") {
      host = try variables.text("MASTER_ADDR")
    } else {
      let list = variables.has("SLURM_NODELIST") ? "SLURM_NODELIST" : "SLURM_JOB_NODELIST"
      let hosts = try variables.text(list)
      guard let first = firstSlurmHost(in: hosts) else {
        throw OnePassError(
          .usage, "\(list) is \(hosts), which names no host: set MASTER_ADDR to the host of rank 0.")
      }
      host = first
    }
    try self.init(
      rank: variables.number("SLURM_PROCID", in: 0...Int(Int32.max)), rankName: "SLURM_PROCID",
      localRank: variables.has("SLURM_LOCALID") ? variables.number("SLURM_LOCALID", in: 0...1023) : 0,
      worldSize: variables.number("SLURM_NTASKS", in: 1...Int(Int32.max)), sizeName: "SLURM_NTASKS",
      masterAddress: host, masterPort: Self.slurmPort(variables), launcher: .slurm)
  }

  private init(
    rank: Int, rankName: String, localRank: Int, worldSize: Int, sizeName: String, masterAddress: String,
    masterPort: Int, launcher: Launcher
  ) throws {
    guard rank < worldSize else {
      throw OnePassError(
        .usage,
        "\(rankName) is \(rank) and \(sizeName) is \(worldSize), but ranks count from 0 to \(worldSize - 1): let one "
          + "launcher set both.")
    }
    self.init(
      rank: rank, localRank: localRank, worldSize: worldSize, masterAddress: masterAddress,
      masterPort: masterPort, launcher: launcher)
  }

  /// A port that all tasks of a job work out alike, and two jobs on one host seldom: 15000 + the last four digits of the
  /// job's number, as other programs choose it.
  private static func slurmPort(_ variables: Variables) throws -> Int {
    if variables.has("MASTER_PORT") { return try variables.number("MASTER_PORT", in: 1...65535) }
    guard variables.has("SLURM_JOB_ID") else { return 29500 }
    return 15000 + (try variables.number("SLURM_JOB_ID", in: 0...Int.max)) % 10000
  }
}

/// Variables that are read with a sentence for each way in which they can be wrong.
private struct Variables {
  private let values: [String: String]

  init(_ values: [String: String]) { self.values = values }

  subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  func has(_ name: String) -> Bool { self[name] != nil }

  func text(_ name: String) throws -> String {
    guard let value = self[name] else {
      let present = ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID", "SLURM_NTASKS"]
        .filter(has)
      throw OnePassError(
        .usage,
        "\(name) is not set although \(present.joined(separator: ", ")) \(present.count == 1 ? "is" : "are"): a process of "
          + "many needs RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, which torchrun sets; unset them all for one process."
      )
    }
    return value
  }

  func number(_ name: String, in range: ClosedRange<Int>) throws -> Int {
    let value = try text(name)
    guard let number = Int(value), range.contains(number) else {
      let wanted =
        range.upperBound >= Int(Int32.max)
        ? "\(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
      throw OnePassError(
        .usage, "\(name) is \(value), which is not a number \(wanted): let one launcher set it.")
    }
    return number
  }
}
