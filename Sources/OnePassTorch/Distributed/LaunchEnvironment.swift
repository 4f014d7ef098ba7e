import OnePassCore

/// The rank of this process, the number of processes and their rendezvous, as set by a launcher in the environment.
///
/// torchrun and Kubernetes' PyTorchJob set RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, which
/// `torch.distributed` reads (`init_method="env://"`). Slurm's srun sets SLURM_PROCID, SLURM_LOCALID, SLURM_NTASKS and
/// SLURM_NODELIST, which are used if RANK and WORLD_SIZE are not set. The rendezvous is then on the first host of the list,
/// unless MASTER_ADDR is set.
///
/// ```swift
/// let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment)
/// print(launch.map { "rank \($0.rank) of \($0.worldSize)" } ?? "one process")
/// ```
public struct LaunchEnvironment: Hashable, Sendable {
  /// The tool that started the processes; it determines the remedy in messages about missing ranks.
  public enum Launcher: Hashable, Sendable {
    /// Any tool that sets RANK and the related variables.
    case standard
    /// torchrun, whose agent serves the store.
    case torchrun
    /// srun of Slurm.
    case slurm
  }

  /// The rank of this process, 0 ..< `worldSize`.
  public let rank: Int
  /// The rank of this process on its machine, from 0; it selects the GPU.
  public let localRank: Int
  /// The number of processes, 1 or more.
  public let worldSize: Int
  /// The host that serves the key-value store.
  public let masterAddress: String
  /// The port of the key-value store, 1 … 65535.
  public let masterPort: Int
  /// The tool that started the processes.
  public let launcher: Launcher

  /// Whether this process serves the key-value store: rank 0, unless the agent of torchrun serves it.
  public var servesStore: Bool { rank == 0 && launcher != .torchrun }

  /// Creates an environment for a program that starts its processes itself.
  /// - Precondition: The values are within their ranges.
  public init(
    rank: Int, localRank: Int, worldSize: Int, masterAddress: String, masterPort: Int,
    launcher: Launcher = .standard
  ) {
    precondition(worldSize >= 1 && (0..<worldSize).contains(rank), "rank must be in 0 ..< worldSize.")
    precondition((1...65535).contains(masterPort), "masterPort must be in 1 ... 65535.")
    self.rank = rank
    self.localRank = localRank
    self.worldSize = worldSize
    self.masterAddress = masterAddress
    self.masterPort = masterPort
    self.launcher = launcher
  }

  /// Reads the environment; `nil` if no launcher set it, so that this is the only process.
  /// - Parameter variables: The environment; an empty variable counts as not set.
  /// - Throws: `OnePassError` (`usage`) if a required variable is missing, is not a number in its range, or contradicts another.
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
      // Kubernetes starts one process per machine and does not set LOCAL_RANK.
      localRank: variables.has("LOCAL_RANK") ? variables.number("LOCAL_RANK", in: 0...1023) : 0,
      worldSize: variables.number("WORLD_SIZE", in: 1...Int(Int32.max)), sizeName: "WORLD_SIZE",
      masterAddress: variables.text("MASTER_ADDR"),
      masterPort: variables.number("MASTER_PORT", in: 1...65535),
      launcher: usesAgentStore ? .torchrun : .standard)
    if variables.has("LOCAL_WORLD_SIZE") {
      let localSize = try variables.number("LOCAL_WORLD_SIZE", in: 1...Int(Int32.max))
      guard localRank < localSize, localSize <= worldSize else {
        throw OnePassError.contradictoryLocalSize(
          localRank: localRank, localSize: localSize, worldSize: worldSize)
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
      guard let first = firstSlurmHost(in: hosts) else { throw OnePassError.noSlurmHost(list, hosts) }
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
      throw OnePassError.rankOutOfRange(rank, name: rankName, worldSize: worldSize, sizeName: sizeName)
    }
    self.init(
      rank: rank, localRank: localRank, worldSize: worldSize, masterAddress: masterAddress,
      masterPort: masterPort, launcher: launcher)
  }

  /// Returns a port that is the same for all tasks of a job and rarely the same for two jobs on one host.
  ///
  /// It is 15000 plus the last four digits of the job id, a common convention.
  private static func slurmPort(_ variables: Variables) throws -> Int {
    if variables.has("MASTER_PORT") { return try variables.number("MASTER_PORT", in: 1...65535) }
    guard variables.has("SLURM_JOB_ID") else { return 29500 }
    return 15000 + (try variables.number("SLURM_JOB_ID", in: 0...Int.max)) % 10000
  }
}

/// Environment variables, with an error for each invalid value.
private struct Variables {
  private let values: [String: String]

  init(_ values: [String: String]) { self.values = values }

  subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  func has(_ name: String) -> Bool { self[name] != nil }

  func text(_ name: String) throws -> String {
    guard let value = self[name] else {
      let present = ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID", "SLURM_NTASKS"]
        .filter(has)
      throw OnePassError.variableMissing(name, present: present)
    }
    return value
  }

  func number(_ name: String, in range: ClosedRange<Int>) throws -> Int {
    let value = try text(name)
    guard let number = Int(value), range.contains(number) else {
      throw OnePassError.variableOutOfRange(name, value, range)
    }
    return number
  }
}
