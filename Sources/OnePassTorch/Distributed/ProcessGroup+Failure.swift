import CTorch
import Foundation
import OnePassCore

/// What the engine says of another process that does not answer.
struct CommunicationFailure: Error, CustomStringConvertible {
  let description: String
}

extension ProcessGroup {
  /// Tells the others why this process stops, and closes its connections, so that they end at once and can say so.
  ///
  /// To be called on a process that stops before the end of training, for whatever error, unless that came from the group
  /// itself; the group is then of no more use. Takes up to some seconds where others are still busy.
  public func abandon(because reason: String) {
    guard failure == nil else { return }
    try? store.set(RollCall.reasonKey(token, rank), to: reason)
    _ = failed(because: reason, isOwn: true)
  }

  /// Runs an operation of all processes; whoever waits in vain finds out whom for.
  func together<Result>(_ operation: () throws -> Result) throws -> Result {
    if let failure { throw failure }
    do {
      return try operation()
    } catch let error as OnePassError where error.cause is CommunicationFailure {
      throw failed(because: error.cause.map { "\($0)" } ?? error.message, isOwn: false)
    }
  }

  private func failed(because reason: String, isOwn: Bool) -> OnePassError {
    // First, so that those who wait for this process fail as well and come to the roll call.
    ct_process_group_abort(handle)
    let call = RollCall(store: store, token: token, rank: rank, size: size, servesStore: launch.servesStore)
    let error = OnePassError(
      .io, sentence(for: call.run(isLeaving: isOwn), reason: reason),
      cause: CommunicationFailure(description: reason))
    failure = error
    return error
  }

  private func sentence(for outcome: RollCall.Outcome, reason: String) -> String {
    switch outcome {
    case .absent(let absent) where absent.isEmpty:
      return
        "An operation of all ranks did not succeed within \(timeouts.answering.inSeconds) on rank \(rank), although all "
        + "still run (\(reason.firstLine)): one of them is slower than that, or the network between them fails."
    case .absent(let absent):
      if let told = absent.first(where: { $0.reason != nil }), let reason = told.reason {
        return "Rank \(told.rank) stopped, and so does rank \(rank): \(reason)"
      }
      return
        "\(ranks(absent.map(\.rank))) \(absent.count == 1 ? "does" : "do") not take part any more, so rank \(rank) stops: "
        + "see what the lost process said, and start all again from the last checkpoint."
    case .cutOff:
      return
        "Rank \(rank) reaches neither the other ranks nor the store at \(store.address), port \(store.port), any more: "
        + "rank 0 or its machine was lost, or the network between them fails."
    }
  }
}

/// How the processes that are left agree, through the store, on who is not there any more.
///
/// Rank 0 takes the roll and tells the others the result, so that all report the same. Where it is itself lost and
/// torchrun's agent serves the store, each looks for itself.
private struct RollCall: Sendable {
  struct Absent: Sendable {
    let rank: Int
    /// Why it stopped, if it said so.
    let reason: String?
  }

  enum Outcome: Sendable {
    case absent([Absent])
    /// The store does not answer.
    case cutOff
  }

  let store: KeyValueStore
  let token: String
  let rank: Int
  let size: Int
  let servesStore: Bool
  /// How long a process that is still there may take to notice.
  private static let grace = Duration.seconds(2)

  static func reasonKey(_ token: String, _ rank: Int) -> String { "onepass/\(token)/reason/\(rank)" }

  private func present(_ rank: Int) -> String { "onepass/\(token)/present/\(rank)" }
  private func heard(_ rank: Int) -> String { "onepass/\(token)/heard/\(rank)" }
  private var verdict: String { "onepass/\(token)/verdict" }

  /// A request to a machine that was cut off may never return.
  func run(isLeaving: Bool) -> Outcome {
    let result = outcome(within: Self.grace * 2 + .seconds(1)) {
      try rank == 0 ? take(isLeaving: isLeaving) : attend(isLeaving: isLeaving)
    }
    return (try? result?.get()) ?? .cutOff
  }

  private func take(isLeaving: Bool) throws -> Outcome {
    let here = try wait(for: Array(1..<size), upTo: Self.grace, key: present).filter {
      try store.has(present($0))
    }
    let absent = try (0..<size).filter { $0 == 0 ? isLeaving : !here.contains($0) }.map(facts)
    try store.set(verdict, to: absent.map { "\($0.rank)" }.joined(separator: ","))
    // The store ends with this process.
    if servesStore { _ = try wait(for: here, upTo: .seconds(1), key: heard) }
    return .absent(absent)
  }

  private func attend(isLeaving: Bool) throws -> Outcome {
    if isLeaving { return .absent([]) }
    try store.set(present(rank), to: "")
    let list: [Int]
    if let told = try? store.get(verdict, within: Self.grace + .seconds(1)) {
      list = told.split(separator: ",").compactMap { Int($0) }
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

  /// Those of the ranks whose key appears in time, or who say that they leave.
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
