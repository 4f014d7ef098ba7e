import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Failures of ranks", .serialized) struct FailureTests {
  @Test("When a rank is killed, the others end at once and say which", arguments: [0, 2])
  func killed(rank lost: Int) throws {
    let outcomes = try Ranks.run(4, ["loss-of-a-rank", "killed", "\(lost)"])
    #expect(outcomes[lost].status == 128 + 9)
    for (rank, outcome) in outcomes.enumerated() where rank != lost {
      #expect(outcome.status == 74)
      // Far less than the two minutes that a rank may take for its part.
      #expect(outcome.seconds - outcomes[lost].seconds < 10)
      let expected =
        lost == 0
        ? "Rank \(rank) reaches neither the other ranks nor the store at 127.0.0.1, port "
        : "Rank \(lost) does not take part any more, so rank \(rank) stops: "
      #expect(outcome.sentence.hasPrefix(expected), "\(outcome.errors)")
      #expect(!outcome.errors.contains("terminate"), "\(outcome.errors)")
    }
  }

  @Test("A rank that hangs is waited for as long as the timeout says", arguments: [0, 1])
  func hanging(rank lost: Int) throws {
    let outcomes = try Ranks.run(
      3, ["loss-of-a-rank", "hanging", "\(lost)"], settings: ["RANK_PROGRAM_ANSWERING": "3"], killingAfter: 14
    )
    for (rank, outcome) in outcomes.enumerated() where rank != lost {
      #expect(outcome.status == 74)
      #expect(outcome.seconds < 20)
      let expected =
        lost == 0
        ? "Rank \(rank) reaches neither the other ranks nor the store"
        : "Rank \(lost) does not take part any more, so rank \(rank) stops: "
      #expect(outcome.sentence.hasPrefix(expected), "\(outcome.errors)")
    }
  }

  @Test("A rank that stops says why on every rank", arguments: [0, 1])
  func givingUp(rank lost: Int) throws {
    let outcomes = try Ranks.run(3, ["loss-of-a-rank", "giving-up", "\(lost)"])
    #expect(outcomes[lost].sentence == "the disk is full")
    for (rank, outcome) in outcomes.enumerated() where rank != lost {
      #expect(outcome.sentence == "Rank \(lost) stopped, and so does rank \(rank): the disk is full")
    }
  }

  @Test("A rank 0 that cannot be reached is reported within ten seconds")
  func unreachable() throws {
    let outcome = try Ranks.run(1, ["collectives"]) { _, port in
      ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
    }[0]
    #expect(outcome.status == 74)
    #expect(outcome.seconds < 10)
    #expect(outcome.sentence.hasPrefix("Rank 0 cannot be reached at 127.0.0.1, port "), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("A host without an address is reported within ten seconds")
  func unknownHost() throws {
    let outcome = try Ranks.run(1, ["collectives"]) { _, port in
      ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "no-such-host.invalid", "MASTER_PORT": "\(port)"]
    }[0]
    #expect(outcome.status == 74)
    #expect(outcome.seconds < 10)
    #expect(
      outcome.sentence.hasPrefix("Rank 0 cannot be reached at no-such-host.invalid"), "\(outcome.errors)")
  }

  @Test("A port at which something else answers is named")
  func somethingElse() throws {
    let descriptor = try Ranks.listeningSocket()
    defer { close(descriptor.number) }
    let outcome = try Ranks.run(1, ["collectives"], settings: ["RANK_PROGRAM_CONNECTING": "3"]) { _, _ in
      ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(descriptor.port)"]
    }[0]
    #expect(outcome.status == 74)
    #expect(outcome.seconds < 10)
    #expect(outcome.sentence.hasPrefix("What answers at 127.0.0.1, port "), "\(outcome.errors)")
  }

  @Test("A port that is taken is named")
  func takenPort() throws {
    let outcomes = try Ranks.run(2, ["collectives"], settings: ["RANK_PROGRAM_ARRIVING": "4"]) { _, port in
      ["RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
    }
    let sentences = outcomes.map(\.sentence)
    #expect(
      sentences.contains { $0.hasPrefix("The port ") && $0.hasSuffix("give this one another MASTER_PORT.") })
    #expect(
      sentences.contains {
        $0
          == "Rank 1 of 2 did not come within 4 s: see that every rank was started, with the same MASTER_ADDR and MASTER_PORT."
      })
  }

  @Test("Ranks that were started for different numbers of processes are told on each")
  func differentSizes() throws {
    let outcomes = try Ranks.run(2, ["collectives"], settings: ["RANK_PROGRAM_ARRIVING": "5"]) { rank, port in
      ["RANK": "\(rank)", "WORLD_SIZE": "\(2 + rank)", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
    }
    for outcome in outcomes {
      #expect(outcome.status == 64)
      #expect(
        outcome.sentence
          == "Rank 1 was started as one of 3 processes and rank 0 as one of 2: start all of them with the same WORLD_SIZE."
      )
    }
  }
}
