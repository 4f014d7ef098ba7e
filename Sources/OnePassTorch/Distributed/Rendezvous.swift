import Foundation
import OnePassCore

/// Waits until all processes have joined through the store, before they connect to each other.
///
/// A store may outlive its processes. The agents of torchrun keep theirs over restarts and count these separately, so no key
/// is known to all processes and certainly unused. Therefore each process publishes a random mark. Rank 0 welcomes every mark
/// that it finds, including one that replaces an earlier mark, until each process has answered its welcome. The mark of
/// rank 0 is then the token that prefixes all keys of this run.
struct Rendezvous {
  let store: KeyValueStore
  let launch: LaunchEnvironment
  let timeout: Duration
  let notices: WaitingNotices
  /// The mark of this process: unique per start, so it does not come from the seed. No result depends on it.
  private let mark = UUID().uuidString

  private var rank: Int { launch.rank }

  init(store: KeyValueStore, launch: LaunchEnvironment, timeout: Duration, notices: WaitingNotices) {
    self.store = store
    self.launch = launch
    self.timeout = timeout
    self.notices = notices
  }

  /// Waits until all ranks have joined.
  /// - Returns: The token.
  /// - Throws: `OnePassError` on every rank that joined: `temporary` if others did not join in time; `usage` if they were
  ///   started with another number of processes or another version of libtorch.
  func meet() throws -> String {
    let token = rank == 0 ? mark : try answerWelcome()
    if rank == 0 { try welcomeAll() }
    let verdict: String
    do {
      // Rank 0 gives up first, publishes the reason, and reports until then which ranks are missing.
      verdict = try store.get("onepass/\(token)/start", within: timeout + .seconds(2))
    } catch {
      throw OnePassError.rank0Exited(cause: error)
    }
    guard verdict.isEmpty else {
      let isTemporary = (try? store.has("onepass/\(token)/temporary")) ?? false
      waitForReaders(token)
      throw OnePassError.rendezvousFailed(verdict, isTemporary: isTemporary)
    }
    return token
  }

  /// Keeps rank 0, and with it the store, running until the other ranks have read the verdict.
  private func waitForReaders(_ token: String) {
    guard rank == 0 else {
      try? store.set("onepass/\(token)/read/\(rank)", to: "")
      return
    }
    let deadline = ContinuousClock.now + .seconds(2)
    func isMissing(_ other: Int) -> Bool {
      (try? store.has("onepass/\(token)/here/\(other)") && !store.has("onepass/\(token)/read/\(other)"))
        ?? false
    }
    while ContinuousClock.now < deadline, (1..<max(launch.worldSize, 1)).contains(where: isMissing) {
      Thread.sleep(forTimeInterval: 0.01)
    }
  }

  /// The mark of this process and the values that all ranks must share.
  private var greeting: String { "\(mark) \(launch.worldSize) \(Engine.version)" }

  private func answerWelcome() throws -> String {
    try store.set("onepass/greeting/\(rank)", to: greeting)
    let token = try waitForWelcome()
    do { try store.set("onepass/\(token)/here/\(rank)", to: "") } catch {
      throw OnePassError.rank0Exited(cause: error)
    }
    return token
  }

  private func waitForWelcome() throws -> String {
    let deadline = ContinuousClock.now + timeout
    let key = "onepass/welcome/\(mark)"
    while true {
      do { return try store.get(key, within: min(deadline - .now, .seconds(10))) } catch {
        guard ContinuousClock.now < deadline else {
          throw OnePassError.noWelcome(
            rank: rank, store.address, store.port, within: timeout, cause: error)
        }
      }
      // The store of torchrun's agent can answer long before rank 0 does.
      do { if try store.has(key) { continue } } catch { throw OnePassError.rank0Exited(cause: error) }
      notices.update("rank 0, which has not joined yet")
    }
  }

  private func welcomeAll() throws {
    let start = ContinuousClock.now
    let deadline = start + timeout
    var welcomed: [Int: String] = [:]
    var absent = Array(1..<max(launch.worldSize, 1))
    var failure: OnePassError?
    while !absent.isEmpty, failure == nil {
      for other in absent where try store.has("onepass/greeting/\(other)") {
        let greeting = try store.get("onepass/greeting/\(other)", within: timeout)
        guard welcomed[other] != greeting else { continue }
        welcomed[other] = greeting
        try store.set("onepass/welcome/\(greeting.prefix { $0 != " " })", to: mark)
      }
      absent = try absent.filter { try !store.has("onepass/\(mark)/here/\($0)") }
      notices.update("\(RankList(absent)) of \(launch.worldSize)")
      if absent.isEmpty { failure = disagreement(welcomed) }
      if !absent.isEmpty, ContinuousClock.now > deadline {
        failure = .ranksMissing(
          absent, of: launch.worldSize, within: timeout, launcher: launch.launcher)
      }
      if !absent.isEmpty {
        Thread.sleep(forTimeInterval: ContinuousClock.now - start < .seconds(5) ? 0.01 : 0.1)
      }
    }
    if failure?.code == .temporary { try store.set("onepass/\(mark)/temporary", to: "") }
    try store.set("onepass/\(mark)/start", to: failure?.message ?? "")
  }

  private func disagreement(_ greetings: [Int: String]) -> OnePassError? {
    for (other, greeting) in greetings.sorted(by: { $0.key < $1.key }) {
      let facts = greeting.split(separator: " ").dropFirst().map(String.init)
      guard facts.count == 2 else { continue }
      if facts[0] != "\(launch.worldSize)" {
        return .differentWorldSizes(rank: other, facts[0], rank0: launch.worldSize)
      }
      if facts[1] != Engine.version {
        return .differentVersions(rank: other, facts[1], rank0: Engine.version)
      }
    }
    return nil
  }
}
