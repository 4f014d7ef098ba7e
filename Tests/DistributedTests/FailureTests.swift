import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Failures of ranks", .serialized) struct FailureTests {
  @Test("When a rank is killed, the others end and name it", arguments: [0, 2])
  func killed(rank lost: Int) throws {
    let outcomes = try Ranks.run(4, ["loss-of-a-rank", "killed", "\(lost)"])
    #expect(outcomes[lost].status == 128 + 9)
    for (rank, outcome) in outcomes.enumerated() where rank != lost {
      #expect(outcome.status == 74)
      // The timeout for a rank's part is two minutes.
      #expect(outcome.seconds - outcomes[lost].seconds < 60)
      let expected =
        lost == 0
        ? "Rank \(rank) can reach neither the other ranks nor the store at 127.0.0.1:"
        : "Rank \(lost) was lost, so rank \(rank) stops; "
      #expect(outcome.message.hasPrefix(expected), "\(outcome.errors)")
      #expect(!outcome.errors.contains("terminate"), "\(outcome.errors)")
    }
  }

  @Test("A rank that hangs is reported after the timeout", arguments: [0, 1])
  func hanging(rank lost: Int) throws {
    let outcomes = try Ranks.run(
      3, ["loss-of-a-rank", "hanging", "\(lost)"], settings: ["RANK_PROGRAM_ANSWERING": "3"], killingAfter: 25
    )
    for (rank, outcome) in outcomes.enumerated() where rank != lost {
      #expect(outcome.status == 74)
      #expect(outcome.seconds < 60)
      let expected =
        lost == 0
        ? "Rank \(rank) can reach neither the other ranks nor the store"
        : "Rank \(lost) was lost, so rank \(rank) stops; "
      #expect(outcome.message.hasPrefix(expected), "\(outcome.errors)")
    }
  }

  @Test("The error of a rank is reported on every rank", arguments: [0, 1])
  func givingUp(rank lost: Int) throws {
    let outcomes = try Ranks.run(3, ["loss-of-a-rank", "giving-up", "\(lost)"])
    #expect(outcomes[lost].message == "the disk is full")
    for (rank, outcome) in outcomes.enumerated() where rank != lost {
      #expect(outcome.message == "Rank \(lost) failed, so rank \(rank) stops: the disk is full")
    }
  }

  @Test("A rank 0 that cannot be reached is reported")
  func unreachable() throws {
    let outcome = try Ranks.run(1, ["collectives"]) { _, port in
      ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
    }[0]
    #expect(outcome.status == 74)
    #expect(outcome.seconds < 60)
    #expect(outcome.message.hasPrefix("Rank 0 cannot be reached at 127.0.0.1:"), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("A host without an address is reported")
  func unknownHost() throws {
    let outcome = try Ranks.run(1, ["collectives"]) { _, port in
      ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "no-such-host.invalid", "MASTER_PORT": "\(port)"]
    }[0]
    #expect(outcome.status == 74)
    #expect(outcome.seconds < 60)
    #expect(
      outcome.message.hasPrefix("Rank 0 cannot be reached at no-such-host.invalid"), "\(outcome.errors)")
  }

  @Test("A port with another service is reported")
  func somethingElse() throws {
    let descriptor = try Ranks.listeningSocket()
    defer { close(descriptor.number) }
    let outcome = try Ranks.run(1, ["collectives"], settings: ["RANK_PROGRAM_CONNECTING": "3"]) { _, _ in
      ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(descriptor.port)"]
    }[0]
    #expect(outcome.status == 74)
    #expect(outcome.seconds < 60)
    #expect(outcome.message.hasPrefix("The service at 127.0.0.1:"), "\(outcome.errors)")
  }

  @Test("A port that is in use is reported")
  func takenPort() throws {
    let outcomes = try Ranks.run(2, ["collectives"], settings: ["RANK_PROGRAM_ARRIVING": "4"]) { _, port in
      ["RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
    }
    let messages = outcomes.map(\.message)
    #expect(
      messages.contains {
        $0.hasPrefix("MASTER_PORT ") && $0.contains(" cannot be opened on the machine of rank 0; ")
      })
    #expect(
      messages.contains {
        $0
          == "Rank 1 of 2 did not join within 4 s; check that every rank was started with the same MASTER_ADDR and MASTER_PORT."
      })
  }

  @Test("Different numbers of processes are reported on every rank")
  func differentSizes() throws {
    let outcomes = try Ranks.run(2, ["collectives"], settings: ["RANK_PROGRAM_ARRIVING": "5"]) { rank, port in
      ["RANK": "\(rank)", "WORLD_SIZE": "\(2 + rank)", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
    }
    for outcome in outcomes {
      #expect(outcome.status == 64)
      #expect(
        outcome.message
          == "Rank 1 was started with WORLD_SIZE=3, and rank 0 with 2; start all ranks with the same WORLD_SIZE."
      )
    }
  }
}
