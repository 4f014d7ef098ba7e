import Foundation
import TestSupport
import TestTraits
import Testing

/// Common launchers, if they are installed.
@Suite("Launchers", .waitsForPrograms, .serialized) struct LauncherTests {
  private func launch(_ options: [String], _ arguments: [String]) throws -> Program.Outcome {
    try Program(path: try #require(Torchrun.path)).run(
      ["--no-python"] + options + [Program.built("RankProgram").path] + arguments,
      environment: ["OMP_NUM_THREADS": "1"])
  }

  private func values(_ outcome: Program.Outcome) throws -> [[String: [Double]]] {
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try outcome.output.split(separator: "\n").map {
      try JSONDecoder().decode([String: [Double]].self, from: Data($0.utf8))
    }
  }

  @Test(
    "torchrun starts ranks",
    .enabled(if: Torchrun.path != nil, "\(Torchrun.reason)"),
    arguments: [
      ["--nproc-per-node", "2", "--standalone"], ["--nproc-per-node", "2", "--master-port", "PORT"],
    ])
  func start(options: [String]) throws {
    let port = "\(try Ranks.freePort())"
    let results = try values(launch(options.map { $0 == "PORT" ? port : $0 }, ["collectives"]))
    #expect(results.compactMap { $0["rank"]?.first }.sorted() == [0, 1])
    for result in results { #expect(result["counts"] == [1, 2]) }
  }

  @Test(
    "A restart by torchrun is independent of the first start",
    .enabled(if: Torchrun.path != nil, "\(Torchrun.reason)"),
    arguments: [
      ["--standalone"], ["--master-port", "PORT"],
    ])
  func restart(options: [String]) throws {
    let port = "\(try Ranks.freePort())"
    let results = try values(
      launch(
        ["--nproc-per-node", "2", "--max-restarts", "1"] + options.map { $0 == "PORT" ? port : $0 },
        ["restart"]))
    #expect(results.count == 2)
    for result in results { #expect(result == ["starts": [1], "sums": [2, 2]]) }
  }

  @Test("The variables of Slurm's srun are sufficient")
  func slurm() throws {
    let outcomes = try Ranks.run(2, ["collectives"]) { rank, port in
      [
        "SLURM_PROCID": "\(rank)", "SLURM_LOCALID": "\(rank)", "SLURM_NTASKS": "2",
        "SLURM_NODELIST": "localhost", "MASTER_PORT": "\(port)",
      ]
    }
    for outcome in outcomes {
      try #require(outcome.status == 0, "\(outcome.errors)")
      #expect(try outcome.values["counts"] == [1, 2])
    }
  }
}
