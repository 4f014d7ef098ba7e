import OnePassCore
import Testing

@testable import OnePassTorch

/// An error whose text does not matter here.
private struct Cause: Error {}

@Suite("Error messages of distributed training") struct DistributedErrorMessageTests {
  static let launch: [(error: OnePassError, code: OnePassError.Code, text: String)] = [
    (
      .variableMissing("MASTER_ADDR", present: ["RANK", "WORLD_SIZE"]), .usage,
      "MASTER_ADDR is not set, but RANK, WORLD_SIZE are; set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, "
        + "as torchrun does, or none of them for one process."
    ),
    (
      .variableMissing("WORLD_SIZE", present: ["RANK"]), .usage,
      "WORLD_SIZE is not set, but RANK is; set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, "
        + "as torchrun does, or none of them for one process."
    ),
    (
      .variableOutOfRange("MASTER_PORT", "70000", 1...65535), .usage,
      "MASTER_PORT must be an integer from 1 to 65535 (got 70000); let one launcher set it."
    ),
    (
      .variableOutOfRange("RANK", "x", 0...Int(Int32.max)), .usage,
      "RANK must be an integer of at least 0 (got x); let one launcher set it."
    ),
    (
      .rankOutOfRange(4, name: "SLURM_PROCID", worldSize: 4, sizeName: "SLURM_NTASKS"), .usage,
      "SLURM_PROCID must be below SLURM_NTASKS (got SLURM_PROCID=4, SLURM_NTASKS=4); let one launcher set both."
    ),
    (
      .contradictoryLocalSize(localRank: 1, localSize: 1, worldSize: 4), .usage,
      "LOCAL_RANK=1, LOCAL_WORLD_SIZE=1 and WORLD_SIZE=4 contradict each other; let one launcher set all of them."
    ),
    (
      .noSlurmHost("SLURM_NODELIST", "[]"), .usage,
      "SLURM_NODELIST=[] contains no host name; set MASTER_ADDR to the host of rank 0."
    ),
    (
      .rank0Unreachable("node1", 29500, within: .seconds(9), .refusing("Connection refused")), .temporary,
      "Rank 0 cannot be reached at node1:29500 within 9 s (connection refused); check that it is running and that "
        + "MASTER_ADDR and MASTER_PORT name its machine and an open port."
    ),
    (
      .rank0Unreachable("node1", 29500, within: .seconds(300), .silent), .temporary,
      "Rank 0 cannot be reached at node1:29500 within 300 s (no answer); check that it is running and that "
        + "MASTER_ADDR and MASTER_PORT name its machine and an open port."
    ),
    (
      .rank0Unreachable("nodd1", 29500, within: .seconds(9), .unknownName("Name or service not known")),
      .temporary,
      "Rank 0 cannot be reached: the host name nodd1 is unknown after 9 s (Name or service not known); "
        + "check MASTER_ADDR and the name server of this machine."
    ),
    (
      .portUnavailable("node1", 29500, "It failed.\ncode: -98, name: EADDRINUSE"), .io,
      "MASTER_PORT 29500 is in use on the machine of rank 0; set a different MASTER_PORT, "
        + "or end the program that uses this one."
    ),
    (
      .portUnavailable("node1", 80, "permission denied\nat"), .io,
      "MASTER_PORT 80 cannot be opened on the machine of rank 0, or not be reached at MASTER_ADDR node1 "
        + "(permission denied); check that MASTER_ADDR names this machine, or set a different MASTER_PORT."
    ),
    (
      .notTheStore("::1", 80), .io,
      "The service at [::1]:80 is not rank 0 of this run; set a different MASTER_PORT."
    ),
    (
      .rank0Exited(cause: Cause()), .io,
      "Rank 0 exited before all ranks had joined; see the output of rank 0."
    ),
    (
      .noWelcome(rank: 2, "node1", 29500, within: .milliseconds(500), cause: Cause()), .temporary,
      "Rank 0 did not respond to rank 2 within 0.5 s, although the store at node1:29500 is reachable; "
        + "check that rank 0 is running and belongs to this run."
    ),
    (.rendezvousFailed("Rank 1 is too old.", isTemporary: false), .usage, "Rank 1 is too old."),
    (.rendezvousFailed("Rank 1 is late.", isTemporary: true), .temporary, "Rank 1 is late."),
    (
      .ranksMissing([1, 3], of: 4, within: .seconds(60), launcher: .torchrun), .temporary,
      "Ranks 1 and 3 of 4 did not join within 60 s; check that every rank was started with the same MASTER_ADDR "
        + "and MASTER_PORT."
    ),
    (
      .ranksMissing([3], of: 4, within: .seconds(60), launcher: .slurm), .temporary,
      "Rank 3 of 4 did not join within 60 s; start the program with srun, which starts every task of the job."
    ),
    (
      .differentWorldSizes(rank: 1, "3", rank0: 2), .usage,
      "Rank 1 was started with WORLD_SIZE=3, and rank 0 with 2; start all ranks with the same WORLD_SIZE."
    ),
    (
      .differentVersions(rank: 1, "2.10.0", rank0: "2.11.0"), .usage,
      "Rank 1 uses libtorch 2.10.0, and rank 0 uses 2.11.0; install the same version on every machine."
    ),
    (
      .cannotConnect(rank: 1, "no route to host", cause: Cause()), .io,
      "Rank 1 cannot connect to the other ranks (no route to host); check that their machines can reach each other, "
        + "or name the network interface in GLOO_SOCKET_IFNAME."
    ),
  ]

  static let collectives: [(error: OnePassError, code: OnePassError.Code, text: String)] = [
    (
      .peerFailed("broadcast", "Connection closed\nby a peer"), .io,
      "Another process failed in broadcast (Connection closed); see the output of that process."
    ),
    (
      .collectiveTimedOut(rank: 1, within: .seconds(120), "Timed out\nafter 120 s"), .io,
      "Rank 1: a collective operation did not finish within 120 s, although all ranks are running (Timed out); "
        + "one of them may be slower, or the network may have failed."
    ),
    (
      .peerStopped(2, rank: 0, reason: "The disk is full.", cause: Cause()), .io,
      "Rank 2 failed, so rank 0 stops: The disk is full."
    ),
    (
      .ranksLost([2], rank: 0, cause: Cause()), .io,
      "Rank 2 was lost, so rank 0 stops; see the output of rank 2, and restart all ranks from the last checkpoint."
    ),
    (
      .ranksLost([1, 2, 5], rank: 0, cause: Cause()), .io,
      "Ranks 1, 2 and 5 were lost, so rank 0 stops; see the output of ranks 1, 2 and 5, and restart all ranks from "
        + "the last checkpoint."
    ),
    (
      .groupUnreachable(rank: 1, "node1", 29500, cause: Cause()), .io,
      "Rank 1 can reach neither the other ranks nor the store at node1:29500; rank 0 or its machine was lost, "
        + "or the network failed."
    ),
    (
      .ranksDisagree(on: "--seed", [([0, 2], "1"), ([1], "2")]), .usage,
      "The ranks disagree on --seed: ranks 0 and 2 have 1, rank 1 has 2; "
        + "start every rank with the same program, options and files."
    ),
    (
      .ranksDisagree(on: "fc.bias", (0..<5).map { ([$0], nil) }), .usage,
      "The ranks disagree on fc.bias: rank 0 has one value, rank 1 has another, rank 2 has another, "
        + "rank 3 has another and so on; start every rank with the same program, options and files."
    ),
  ]

  @Test(
    "A failure of a rank is reported with the rank, the address or variable, and the remedy",
    arguments: launch + collectives)
  func failure(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }
}
