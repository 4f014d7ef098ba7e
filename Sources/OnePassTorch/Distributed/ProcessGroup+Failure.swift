import CTorch
import Foundation
import OnePassCore

/// The message of libtorch about a communication failure.
struct CommunicationFailure: Error, CustomStringConvertible {
  let description: String
}

extension ProcessGroup {
  /// Reports to the other processes why this one stops, and closes its connections, so that they stop immediately.
  ///
  /// Call it when this process stops before the end of training because of an error that the group did not throw. The group
  /// is unusable afterwards. The call takes up to a few seconds while other processes are busy.
  /// - Parameter reason: The message of the error, which the other processes include in theirs.
  public func abandon(because reason: String) {
    guard failure == nil else { return }
    try? store.set(RollCall.reasonKey(token, rank), to: reason)
    _ = failed(because: reason, isOwn: true)
  }

  /// Runs a collective operation; if it fails, throws an error that names the lost processes.
  func together<Result>(_ operation: () throws -> Result) throws -> Result {
    if let failure { throw failure }
    do {
      return try operation()
    } catch let error as OnePassError where error.cause is CommunicationFailure {
      throw failed(because: error.cause.map { "\($0)" } ?? error.message, isOwn: false)
    }
  }

  private func failed(because reason: String, isOwn: Bool) -> OnePassError {
    // Abort first, so that processes that wait for this one fail too and join the roll call.
    ct_process_group_abort(handle)
    let call = RollCall(store: store, token: token, rank: rank, size: size, servesStore: launch.servesStore)
    let error = self.error(for: call.run(isLeaving: isOwn), reason: reason)
    failure = error
    return error
  }

  private func error(for outcome: RollCall.Outcome, reason: String) -> OnePassError {
    let cause = CommunicationFailure(description: reason)
    switch outcome {
    case .absent(let absent) where absent.isEmpty:
      return .collectiveTimedOut(rank: rank, within: timeouts.answering, reason)
    case .absent(let absent):
      for peer in absent {
        guard let reason = peer.reason else { continue }
        return .peerStopped(peer.rank, rank: rank, reason: reason, cause: cause)
      }
      return .ranksLost(absent.map(\.rank), rank: rank, cause: cause)
    case .storeUnreachable:
      return .groupUnreachable(rank: rank, store.address, store.port, cause: cause)
    }
  }
}

/// Determines, through the store, which processes are lost.
///
/// Rank 0 collects the answers and publishes the result, so that all processes report the same. If rank 0 is lost and the
/// agent of torchrun serves the store, each process checks by itself.
private struct RollCall: Sendable {
  struct Absent: Sendable {
    let rank: Int
    /// The reason that the process published before it stopped, if any.
    let reason: String?
  }

  enum Outcome: Sendable {
    case absent([Absent])
    case storeUnreachable
  }

  let store: KeyValueStore
  let token: String
  let rank: Int
  let size: Int
  let servesStore: Bool
  /// The maximum time that a running process takes to notice the failure.
  private static let grace = Duration.seconds(2)

  static func reasonKey(_ token: String, _ rank: Int) -> String { "onepass/\(token)/reason/\(rank)" }

  private func present(_ rank: Int) -> String { "onepass/\(token)/present/\(rank)" }
  private func heard(_ rank: Int) -> String { "onepass/\(token)/heard/\(rank)" }
  private var verdict: String { "onepass/\(token)/verdict" }

  /// Runs with a timeout, since a request to an unreachable machine may never return.
  func run(isLeaving: Bool) -> Outcome {
    let result = outcome(within: Self.grace * 2 + .seconds(1)) {
      try rank == 0 ? take(isLeaving: isLeaving) : attend(isLeaving: isLeaving)
    }
    return (try? result?.get()) ?? .storeUnreachable
  }

  private func take(isLeaving: Bool) throws -> Outcome {
    let here = try wait(for: Array(1..<size), upTo: Self.grace, key: present).filter {
      try store.has(present($0))
    }
    let absent = try (0..<size).filter { $0 == 0 ? isLeaving : !here.contains($0) }.map(facts)
    try store.set(verdict, to: absent.map { "\($0.rank)" }.joined(separator: ","))
    // The store stops with this process.
    if servesStore { _ = try wait(for: here, upTo: .seconds(1), key: heard) }
    return .absent(absent)
  }

  private func attend(isLeaving: Bool) throws -> Outcome {
    if isLeaving { return .absent([]) }
    try store.set(present(rank), to: "")
    let list: [Int]
    if let published = try? store.get(verdict, within: Self.grace + .seconds(1)) {
      list = published.split(separator: ",").compactMap { Int($0) }
    } else {
      list = try (0..<size).filter { try $0 == 0 || !store.has(present($0)) }
    }
    let absent = try list.map(facts)
    try? store.set(heard(rank), to: "")
    return .absent(absent)
  }

  private func facts(of rank: Int) throws -> Absent {
    let key = Self.reasonKey(token, rank)
    return Absent(rank: rank, reason: try store.has(key) ? try store.get(key, within: .seconds(1)) : nil)
  }

  /// Returns the ranks that set their key, or published a reason for stopping, within the limit.
  private func wait(for ranks: [Int], upTo limit: Duration, key: (Int) -> String) throws -> [Int] {
    let deadline = ContinuousClock.now + limit
    var here: [Int] = []
    while here.count < ranks.count, ContinuousClock.now < deadline {
      here += try ranks.filter {
        try !here.contains($0) && (store.has(key($0)) || store.has(Self.reasonKey(token, $0)))
      }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return here
  }
}
