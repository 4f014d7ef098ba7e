import CTorch
import Foundation
import OnePassCore

/// The processes that train together, connected by Gloo on CPUs and by NCCL between GPUs.
///
/// Every operation is collective: all processes must call the same operations in the same order, and each waits for the
/// others. Like a tensor, a group is used on the thread that created it.
///
/// If a process is lost or calls a different operation, the operation throws on every other process within the timeout. The
/// error names the lost processes. The group is then unusable, and the program must end.
///
/// ```swift
/// guard let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment) else { return }  // one process
/// let group = try ProcessGroup(joining: launch)
/// print(try group.sum([1]))  // the number of ranks, on every rank
/// try group.barrier()
/// ```
public final class ProcessGroup {
  /// The maximum times to wait for other processes.
  public struct Timeouts: Hashable, Sendable {
    /// The time to reach the store of rank 0. Default 5 minutes, since launchers can start machines minutes apart.
    public var connecting: Duration
    /// The time for all ranks to join once rank 0 serves the store. Default 5 minutes.
    public var arriving: Duration
    /// The time for a collective operation, including delays of slower processes before it. Default 2 minutes.
    public var answering: Duration

    /// Creates timeouts; see the properties for their meanings.
    public init(
      connecting: Duration = .seconds(300), arriving: Duration = .seconds(300),
      answering: Duration = .seconds(120)
    ) {
      self.connecting = connecting
      self.arriving = arriving
      self.answering = answering
    }
  }

  /// The rank of this process, 0 ..< ``size``.
  public let rank: Int
  /// The number of processes.
  public let size: Int
  /// The rank of this process on its machine, from 0.
  public let localRank: Int
  /// The device whose tensors the group can reduce, in addition to those on the CPU.
  public let device: Device
  /// The maximum times to wait for other processes.
  public private(set) var timeouts: Timeouts

  let handle: OpaquePointer
  let store: KeyValueStore
  let launch: LaunchEnvironment
  /// The prefix of this run's keys in the store.
  let token: String
  /// The error with which the group failed, if it did.
  var failure: OnePassError?

  /// Waits for all processes to join and connects to them.
  /// - Parameters:
  ///   - launch: The rank of this process, the number of processes and the address of the store.
  ///   - device: The device of the tensors to reduce: the GPU of this process, or the CPU.
  ///   - timeouts: The maximum times to wait for other processes.
  ///   - variables: The environment, in which GLOO_SOCKET_IFNAME can name network interfaces.
  ///   - waiting: Called on this thread after 10 s, and then at growing intervals, while processes have not joined.
  /// - Throws: `OnePassError`: `temporary` if ranks did not join in time; `io` if the port is in use or the connection fails;
  ///   `usage` if ranks were started with another number of processes or another version of libtorch.
  public init(
    joining launch: LaunchEnvironment, device: Device = .cpu, timeouts: Timeouts = Timeouts(),
    variables: [String: String] = ProcessInfo.processInfo.environment,
    waiting: @escaping (Waiting) -> Void = { _ in }
  ) throws {
    let notices = WaitingNotices(waiting)
    store = try KeyValueStore.open(
      address: launch.masterAddress, port: launch.masterPort, serves: launch.servesStore,
      timeout: timeouts.connecting, notices: notices)
    token = try Rendezvous(store: store, launch: launch, timeout: timeouts.arriving, notices: notices).meet()
    self.launch = launch
    self.device = device
    self.timeouts = timeouts
    (rank, size, localRank) = (launch.rank, launch.worldSize, launch.localRank)
    handle = try Self.connect(store, token, launch, device, timeouts, variables)
  }

  deinit { ct_process_group_free(handle) }

  /// Sets the timeout of subsequent operations, for example before one that some processes reach late.
  public func setAnsweringTimeout(_ timeout: Duration) throws {
    try OnePassTorch.check(
      "ProcessGroup.setAnsweringTimeout", ct_process_group_set_timeout(handle, timeout.wholeMilliseconds))
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
        "ProcessGroup.init",
        names.map { UnsafePointer($0!) }.withUnsafeBufferPointer {
          ct_process_group_make(
            store.handle, "onepass/\(token)", Int32(launch.rank), Int32(launch.worldSize), $0.baseAddress!,
            Int32(names.count), address, timeouts.answering.wholeMilliseconds, device.handle, &made)
        })
    } catch let error as OnePassError where error.cause is CommunicationFailure {
      throw OnePassError.cannotConnect(
        rank: launch.rank, error.cause.map { "\($0)".firstLine } ?? "", cause: error)
    }
    guard let made else { throw OnePassError.libtorchReturnedNothing("ProcessGroup.init") }
    return made
  }
}
