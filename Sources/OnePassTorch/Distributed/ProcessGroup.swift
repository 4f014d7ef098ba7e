import CTorch
import Foundation
import OnePassCore

/// The processes that train together, connected with each other: by Gloo on CPUs, by NCCL between GPUs.
///
/// Every operation is one of all processes: each calls the same ones in the same order, and each waits for the others. A
/// group belongs to the thread that made it, as tensors do. When a process is lost, or does something else, the operation
/// throws on every other one, within the timeout, a sentence that names whom it waited for; the group is then of no more
/// use, and the program ends.
///
/// ```swift
/// guard let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment) else { return }  // one process
/// let group = try ProcessGroup(joining: launch)
/// print(try group.sum([1]))  // on each rank the number of ranks
/// try group.barrier()
/// ```
public final class ProcessGroup {
  /// How long others are waited for.
  public struct Timeouts: Hashable, Sendable {
    /// Until rank 0's store answers. Default 9 s, so that a wrong address is reported within ten.
    public var connecting: Duration
    /// Until all ranks have come. Default 60 s.
    public var arriving: Duration
    /// Until all have done their part of an operation, which includes what a slower one does before. Default 2 minutes.
    public var answering: Duration

    public init(
      connecting: Duration = .seconds(9), arriving: Duration = .seconds(60),
      answering: Duration = .seconds(120)
    ) {
      self.connecting = connecting
      self.arriving = arriving
      self.answering = answering
    }
  }

  /// This process, 0 ..< `size`.
  public let rank: Int
  /// The number of processes.
  public let size: Int
  /// This process among those of its machine.
  public let localRank: Int
  /// The device whose tensors the group sums, beside those on the CPU.
  public let device: Device
  public private(set) var timeouts: Timeouts

  let handle: OpaquePointer
  let store: KeyValueStore
  let launch: LaunchEnvironment
  /// What precedes the keys of this run.
  let token: String
  /// What the group failed with, if it did.
  var failure: OnePassError?

  /// Meets the other processes and connects to them; returns when all are connected.
  /// - Parameters:
  ///   - launch: who this process is.
  ///   - device: where tensors lie that are summed: the GPU of this process, or the CPU.
  ///   - timeouts: how long others are waited for.
  ///   - variables: the environment, in which GLOO_SOCKET_IFNAME may name the network interfaces to use.
  /// - Throws: `OnePassError`: `io` if rank 0 or another process cannot be reached, `usage` if not all come or they
  ///   do not fit together.
  public init(
    joining launch: LaunchEnvironment, device: Device = .cpu, timeouts: Timeouts = Timeouts(),
    variables: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    store = try KeyValueStore.open(
      address: launch.masterAddress, port: launch.masterPort, serves: launch.servesStore,
      timeout: timeouts.connecting)
    token = try Rendezvous(store: store, launch: launch, timeout: timeouts.arriving).meet()
    self.launch = launch
    self.device = device
    self.timeouts = timeouts
    (rank, size, localRank) = (launch.rank, launch.worldSize, launch.localRank)
    handle = try Self.connect(store, token, launch, device, timeouts, variables)
  }

  deinit { ct_process_group_free(handle) }

  /// Changes how long operations wait for other processes, from now on; before one that takes some processes longer.
  public func setAnsweringTimeout(_ timeout: Duration) throws {
    try OnePassTorch.check(
      "the setting of a timeout", ct_process_group_set_timeout(handle, timeout.wholeMilliseconds))
    timeouts.answering = timeout
  }

  private static func connect(
    _ store: KeyValueStore, _ token: String, _ launch: LaunchEnvironment, _ device: Device,
    _ timeouts: Timeouts,
    _ variables: [String: String]
  ) throws -> OpaquePointer {
    var (interfaces, address): ([String], String?) = ([], nil)
    switch OwnAddress(variables: variables, masterAddress: launch.masterAddress) {
    case .interfaces(let names): interfaces = names
    case .address(let own): address = own
    case .ownName: break
    }
    let names = interfaces.map { strdup($0) }
    defer { for name in names { free(name) } }
    var made: OpaquePointer?
    do {
      try OnePassTorch.check(
        "the process group",
        names.map { UnsafePointer($0!) }.withUnsafeBufferPointer {
          ct_process_group_make(
            store.handle, "onepass/\(token)", Int32(launch.rank), Int32(launch.worldSize), $0.baseAddress!,
            Int32(names.count), address, timeouts.answering.wholeMilliseconds, device.handle, &made)
        })
    } catch let error as OnePassError where error.cause is CommunicationFailure {
      throw OnePassError(
        .io,
        "Rank \(launch.rank) cannot connect to the other ranks (\(error.cause.map { "\($0)".firstLine } ?? "")): see that "
          + "their machines reach each other, or name the network interface with GLOO_SOCKET_IFNAME.",
        cause: error)
    }
    guard let made else { throw OnePassError(.engine, "libtorch made no process group.") }
    return made
  }
}
