import Foundation
import TestSupport
import TestTraits
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Failures of ranks", .waitsForPrograms, .serialized) struct FailureTests {
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

  /// A rank 1 alone, which waits for another at an address.
  private func runRank1(at host: String, waiting seconds: Int) throws -> Ranks.Outcome {
    let waits = ["RANK_PROGRAM_CONNECTING": "\(seconds)"]
    return try Ranks.run(1, ["collectives"], settings: waits) { _, port in
      ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": host, "MASTER_PORT": "\(port)"]
    }[0]
  }

  @Test("A rank 0 that does not start in time is a temporary failure, with the reason")
  func unreachable() throws {
    let outcome = try runRank1(at: "127.0.0.1", waiting: 3)
    #expect(outcome.status == 75)
    #expect(outcome.seconds > 2 && outcome.seconds < 30)
    #expect(outcome.message.hasPrefix("Rank 0 cannot be reached at 127.0.0.1:"), "\(outcome.errors)")
    #expect(outcome.message.contains(" within 3 s (connection refused); "), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  /// `.invalid` never has an address (RFC 6761, section 6.4).
  @Test("An unknown host name is reported as that, and the address of rank 0 too", arguments: [0, 1])
  func unknownHost(rank: Int) throws {
    let waits = ["RANK_PROGRAM_CONNECTING": "3"]
    let outcome = try Ranks.run(1, ["collectives"], settings: waits) { _, port in
      [
        "RANK": "\(rank)", "WORLD_SIZE": "2", "MASTER_ADDR": "no-such-host.invalid", "MASTER_PORT": "\(port)",
      ]
    }[0]
    #expect(outcome.status == 75)
    #expect(outcome.seconds < 30)
    let expected = "Rank 0 cannot be reached: the host name no-such-host.invalid is unknown after 3 s ("
    #expect(outcome.message.hasPrefix(expected), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("A rank that waits reports after ten seconds what it waits for, and why")
  func waiting() throws {
    let outcome = try runRank1(at: "127.0.0.1", waiting: 13)
    let lines = outcome.errors.split(separator: "\n")
    try #require(lines.count == 2, "\(outcome.errors)")
    let notice = try Regex(
      "^waiting: Waiting for rank 0 at 127.0.0.1:[0-9]+ for 1[0-2] s: connection refused[.]$")
    #expect(try notice.wholeMatch(in: lines[0]) != nil, "\(lines[0])")
  }

  /// Ranks 1 and 2 start first; rank 3 is missing.
  @Test("Late ranks are waited for, and missing ranks are named on every rank with status 75")
  func missingRanks() throws {
    let waits = ["RANK_PROGRAM_CONNECTING": "40", "RANK_PROGRAM_ARRIVING": "13"]
    let outcomes = try Ranks.run(
      3, of: Program(path: "/bin/sh"),
      ["-c", "[ $RANK = 0 ] && sleep 3; exec \"$0\" collectives", Program.built("RankProgram").path],
      settings: waits
    ) { rank, port in
      ["RANK": "\(rank)", "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)"]
    }
    for outcome in outcomes {
      #expect(outcome.status == 75 && outcome.seconds > 15)
      #expect(
        outcome.message
          == "Rank 3 of 4 did not join within 13 s; check that every rank was started with the same MASTER_ADDR "
          + "and MASTER_PORT.", "\(outcome.errors)")
    }
    let notice = try Regex("waiting: Waiting for rank 3 of 4 for 1[0-2] s[.]\n")
    #expect(try notice.firstMatch(in: outcomes[0].errors) != nil, "\(outcomes[0].errors)")
    // The other ranks have joined, so that only rank 0 reports.
    for rank in [1, 2] { #expect(!outcomes[rank].errors.contains("waiting: "), "\(outcomes[rank].errors)") }
  }

  @Test("Ranks that start later than rank 1 join it")
  func lateRank0() throws {
    let outcomes = try Ranks.run(
      2, of: Program(path: "/bin/sh"),
      ["-c", "[ $RANK = 0 ] && sleep 12; exec \"$0\" collectives", Program.built("RankProgram").path])
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
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
    let ends = outcomes.map { "\($0.status) \($0.message)" }
    #expect(
      ends.contains {
        $0.hasPrefix("74 MASTER_PORT ")
          && $0.hasSuffix(
            " is in use on the machine of rank 0; set a different MASTER_PORT, or end the program that uses this one."
          )
      }, "\(ends)")
    #expect(
      ends.contains(
        "75 Rank 1 of 2 did not join within 4 s; check that every rank was started with the same MASTER_ADDR and MASTER_PORT."
      ), "\(ends)")
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
