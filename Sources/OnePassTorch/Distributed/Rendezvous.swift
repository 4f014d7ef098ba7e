import Foundation
import OnePassCore

/// How processes that share a store find out that all have come, before they connect to each other.
///
/// A store may outlive its processes: torchrun's agents keep theirs over restarts, and count them each for itself, so that
/// no name is known to all that was never used before. Therefore each process brings a fresh mark of its own. Rank 0
/// welcomes the marks that it finds, again where a later one replaces an old one, until every process has answered its
/// welcome; the mark of rank 0 is then the token under which all keys of this run are kept.
struct Rendezvous {
  let store: KeyValueStore
  let launch: LaunchEnvironment
  let timeout: Duration
  /// This process's mark. Chance from outside, as it has to differ from that of every other start; no result depends on it.
  private let mark = UUID().uuidString

  private var rank: Int { launch.rank }

  init(store: KeyValueStore, launch: LaunchEnvironment, timeout: Duration) {
    self.store = store
    self.launch = launch
    self.timeout = timeout
  }

  /// Waits until all ranks are there.
  /// - Returns: The token.
  /// - Throws: `OnePassError` (`usage`) on every rank that came, if others did not come in time or were started for another
  ///   number of processes or with another engine.
  func meet() throws -> String {
    let token = rank == 0 ? mark : try answerWelcome()
    if rank == 0 { try welcomeAll() }
    let verdict: String
    do {
      // Rank 0 gives up first, and says why.
      verdict = try store.get("onepass/\(token)/start", within: timeout + .seconds(2))
    } catch {
      throw OnePassError(
        .io, "Rank 0 ended before all ranks had come: its own output says why.", cause: error)
    }
    guard verdict.isEmpty else {
      seeTold(token)
      throw OnePassError(.usage, verdict)
    }
    return token
  }

  /// Keeps rank 0, with which the store may end, until the others that came have read why.
  private func seeTold(_ token: String) {
    guard rank == 0 else {
      try? store.set("onepass/\(token)/told/\(rank)", to: "")
      return
    }
    let deadline = ContinuousClock.now + .seconds(2)
    func isMissing(_ other: Int) -> Bool {
      (try? store.has("onepass/\(token)/here/\(other)") && !store.has("onepass/\(token)/told/\(other)"))
        ?? false
    }
    while ContinuousClock.now < deadline, (1..<max(launch.worldSize, 1)).contains(where: isMissing) {
      Thread.sleep(forTimeInterval: 0.01)
    }
  }

  /// What a rank has to have in common with rank 0.
  private var greeting: String { "\(mark) \(launch.worldSize) \(Engine.version)" }

  private func answerWelcome() throws -> String {
    try store.set("onepass/greeting/\(rank)", to: greeting)
    do {
      let token = try store.get("onepass/welcome/\(mark)", within: timeout)
      try store.set("onepass/\(token)/here/\(rank)", to: "")
      return token
    } catch {
      throw OnePassError(
        .io,
        "Rank 0 did not welcome rank \(rank) within \(timeout.inSeconds), although the store at \(store.address), port "
          + "\(store.port), answers: see that rank 0 was started, and is not of another run.", cause: error)
    }
  }

  private func welcomeAll() throws {
    let deadline = ContinuousClock.now + timeout
    var welcomed: [Int: String] = [:]
    var absent = Array(1..<max(launch.worldSize, 1))
    var complaint = ""
    while !absent.isEmpty, complaint.isEmpty {
      for other in absent where try store.has("onepass/greeting/\(other)") {
        let greeting = try store.get("onepass/greeting/\(other)", within: timeout)
        guard welcomed[other] != greeting else { continue }
        welcomed[other] = greeting
        try store.set("onepass/welcome/\(greeting.prefix { $0 != " " })", to: mark)
      }
      absent = try absent.filter { try !store.has("onepass/\(mark)/here/\($0)") }
      if absent.isEmpty { complaint = disagreement(welcomed) }
      if !absent.isEmpty, ContinuousClock.now > deadline { complaint = lack(of: absent) }
      if !absent.isEmpty { Thread.sleep(forTimeInterval: 0.01) }
    }
    try store.set("onepass/\(mark)/start", to: complaint)
  }

  private func lack(of absent: [Int]) -> String {
    let advice =
      launch.launcher == .slurm
      ? "start the program with srun, which starts every task of the job"
      : "see that every rank was started, with the same MASTER_ADDR and MASTER_PORT"
    return "\(ranks(absent)) of \(launch.worldSize) did not come within \(timeout.inSeconds): \(advice)."
  }

  private func disagreement(_ greetings: [Int: String]) -> String {
    for (other, greeting) in greetings.sorted(by: { $0.key < $1.key }) {
      let facts = greeting.split(separator: " ").dropFirst().map(String.init)
      guard facts.count == 2 else { continue }
      if facts[0] != "\(launch.worldSize)" {
        return
          "Rank \(other) was started as one of \(facts[0]) processes and rank 0 as one of \(launch.worldSize): "
          + "start all of them with the same WORLD_SIZE."
      }
      if facts[1] != Engine.version {
        return
          "Rank \(other) runs with libtorch \(facts[1]) and rank 0 with \(Engine.version): install the same on "
          + "every machine."
      }
    }
    return ""
  }
}

/// `Rank 2`, `Ranks 1 and 3`, `Ranks 1, 2 and 5`, as the beginning of a sentence.
func ranks(_ list: [Int]) -> String {
  let words = list.map(String.init)
  guard let last = words.last, words.count > 1 else { return "Rank \(words.first ?? "")" }
  return "Ranks \(words.dropLast().joined(separator: ", ")) and \(last)"
}
