import Foundation
import TestSupport
import TestTraits
import Testing

/// Several processes train like one: with one stream, one memory and one record.
@Suite("Several processes train like one", .waitsForPrograms, .serialized) struct RanksTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  /// 51 steps, the last of 8 examples; batch normalisation of the whole mini-batch, as with one process.
  init() throws {
    runs = try RunFixture(
      StripedImages(count: 1_608), evaluation: StripedImages(count: 40, seed: 2),
      options: [
        "--model", "resnet8", "--batch-size", "32", "--threads", "1", "--decode-threads", "1", "--quiet",
        "--synchronised-batch-norm", "--learning-rate", "0.0001",
      ])
  }

  /// Runs on other data have no evaluation.
  func arguments(_ name: String, _ more: [String] = [], data: String? = nil) -> [String] {
    (data.map { RunFixture(folder, data: $0, options: runs.options) } ?? runs).arguments(name, more)
  }

  func train(_ ranks: Int, _ name: String, _ more: [String] = [], data: String? = nil) throws {
    if ranks == 1 {
      let outcome = try onepass.run(arguments(name, more, data: data))
      try #require(outcome.status == 0, "\(outcome.errors)")
    } else {
      for outcome in try Ranks.run(ranks, of: onepass, arguments(name, more, data: data)) {
        try #require(outcome.status == 0, "\(outcome.errors)")
      }
    }
  }

  /// Trains on two ranks until the checkpoint of a step exists, and then sends a signal to one of them.
  func train(
    _ name: String, _ more: [String], untilStep step: Int, thenSignal signal: Int32, rank: Int
  ) throws -> [Ranks.Outcome] {
    try Ranks.run(2, of: onepass, arguments(name, more)) { processes in
      while !runs.hasCheckpoint(of: step, name), processes[rank].isRunning {
        Thread.sleep(forTimeInterval: 0.002)
      }
      kill(processes[rank].processIdentifier, signal)
    }
  }

  /// 26 steps, the last of 8 examples, with up to three updates each.
  ///
  /// The tolerance is 10^-5 for losses around 1 after 50 updates: float32 sums in another order differ by 2^-24, and the
  /// updates amplify the difference.
  @Test(
    "One, two and four ranks train the same",
    arguments: [
      ["--method", "naive"], ["--replay-steps", "2", "--storage", "20%"],
      ["--replay-steps", "1", "--storage", "40kB", "--priority-timing", "refreshed"],
      [
        "--replay-steps", "1", "--storage", "60", "--priority", "learnability", "--priority-timing",
        "refreshed",
      ],
      ["--replay-steps", "2", "--storage", "60", "--updates", "joint", "--memory-encoding", "resized"],
      ["--replay-steps", "2", "--storage", "20%", "--stored-predictions", "0.5"],
      [
        "--replay-steps", "1", "--storage", "10%", "--optimiser", "muon", "--muon-learning-rate",
        "0.00002", "--weight-average", "0.9", "--label-smoothing", "0.1", "--schedule", "linear",
      ],
      ["--replay-steps", "1", "--storage", "10%", "--blur-pool"],
      ["--replay-steps", "1", "--storage", "10%", "--weight-average", "0.9", "--classes", "open"],
    ])
  func anyNumberOfRanksTrainsTheSame(method: [String]) throws {
    let options = method + picturedLogs + ["--limit", "808"]
    for ranks in [1, 2, 4] { try train(ranks, "ranks-\(ranks)", options) }
    let (alone, losses) = (
      try runs.result("ranks-1"), try runs.column("loss", of: "ranks-1").compactMap(Double.init)
    )
    #expect(losses.count == 26)
    for ranks in [2, 4] {
      let name = "ranks-\(ranks)"
      #expect(try folder.bytes(of: "\(name)/ledger") == folder.bytes(of: "ranks-1/ledger"))
      let theirs = try runs.column("loss", of: name).compactMap(Double.init)
      let differences = zip(theirs, losses).map { abs($0 - $1) }
      #expect(differences.prefix(method[1] == "naive" ? 25 : 17).allSatisfy { $0 < 1e-5 })
      #expect(differences.allSatisfy { $0 < 1e-4 }, "\(ranks) ranks, \(differences.max() ?? 0)")
      for part in ["memory_items", "memory_bytes", "updates", "examples_trained"] {
        #expect(try runs.column(part, of: name) == runs.column(part, of: "ranks-1"))
      }
      let together = try runs.result(name)
      for path in [
        "storage.examples", "storage.bytes", "storage.loggedPictures.count", "compute.examples",
        "compute.fraction",
        "compute.updates",
        "stream.examples",
        "accuracy.examples", "memory.insertions", "memory.distinctDrawn", "memoryContents.draws.maximum",
      ] {
        #expect(together.number(path) == alone.number(path), "\(path)")
      }
      #expect(abs((together.number("accuracy.loss") ?? 0) - (alone.number("accuracy.loss") ?? 1)) < 1e-4)
    }
    #expect(method[1] == "naive" || (alone.number("memory.insertions") ?? 0) > 60)
  }

  /// Images are mixed with partners of the same rank, so only the choices are those of one process.
  @Test("Image mixing makes the same choices on several ranks")
  func imageMixingMakesTheSameChoices() throws {
    let recipe = ["--replay-steps", "1", "--storage", "10%", "--mixing", "cutmix", "--limit", "808"]
    for ranks in [1, 2] { try train(ranks, "ranks-\(ranks)", recipe) }
    let (alone, together) = (try runs.result("ranks-1"), try runs.result("ranks-2"))
    for path in ["compute.fraction", "memory.insertions", "memory.distinctDrawn"] {
      #expect(alone.number(path) != nil && alone.number(path) == together.number(path), "\(path)")
    }
    #expect(try folder.bytes(of: "ranks-1/ledger") == folder.bytes(of: "ranks-2/ledger"))
    #expect(try #require(together.number("accuracy.loss")).isFinite)
  }

  @Test("Shards are divided among the ranks")
  func shardsAreDivided() throws {
    let shards = try runs.pack("train-{0..2}.tar")
    for ranks in [1, 3] {
      try train(ranks, "shards-\(ranks)", ["--replay-steps", "1", "--limit", "808"], data: shards)
    }
    #expect(try folder.bytes(of: "shards-1/ledger") == folder.bytes(of: "shards-3/ledger"))
    #expect(try runs.column("memory_bytes", of: "shards-1") == runs.column("memory_bytes", of: "shards-3"))
  }

  /// Broken images count once, whichever rank reads them.
  @Test("Broken images are counted once")
  func brokenImagesCountOnce() throws {
    let source = try TemporaryFolder()
    for index in 0..<40 {
      let name = "\(index % 2)/\(index).png"
      if index % 7 == 3 {
        try source.write(Array("no image".utf8), to: name)
      } else {
        try source.write(try ForgettingTests.file(index), to: name)
      }
    }
    for ranks in [1, 4] {
      try train(
        ranks, "broken-\(ranks)", ["--method", "naive", "--broken-limit", "0.5"],
        data: "folder:\(source.path)")
    }
    let (alone, together) = (try runs.result("broken-1"), try runs.result("broken-4"))
    #expect(alone.number("stream.skipped") == 6)
    for path in ["stream.skipped", "stream.examples", "stream.bytes", "compute.examples"] {
      #expect(together.number(path) == alone.number(path), "\(path)")
    }
  }

  /// After one rank is killed, the others end. A resumed run with another number of ranks has the results of an
  /// uninterrupted run.
  @Test("A job that lost a rank resumes with any number of ranks", arguments: [(0, 2), (1, 3), (1, 1)])
  func aLostRankLosesNothing(killed: Int, restarted: Int) throws {
    let more = ["--replay-steps", "2", "--storage", "20%", "--checkpoint-every", "4"]
    try train(1, "whole", more)
    let start = ContinuousClock.now
    let outcomes = try train("parts", more, untilStep: 8, thenSignal: SIGKILL, rank: killed)
    #expect(outcomes[killed].status == 137)
    let survivor = outcomes[1 - killed]
    #expect(survivor.status == 74 && survivor.errors.contains("\(killed)"), "\(survivor.errors)")
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(folder.exists("parts/unfinished") && !folder.exists("parts/result.json"))

    try train(restarted, "parts", more + ["--resume"])
    #expect(!folder.exists("parts/unfinished"))
    #expect(try folder.bytes(of: "parts/ledger") == folder.bytes(of: "whole/ledger"))
    try runs.expectVerified("parts")
    for part in ["memory_items", "memory_bytes", "examples_trained"] {
      #expect(try runs.column(part, of: "parts") == runs.column(part, of: "whole"))
    }
    let losses = zip(
      try runs.column("loss", of: "parts").compactMap(Double.init),
      try runs.column("loss", of: "whole").compactMap(Double.init))
    #expect(losses.allSatisfy { abs($0 - $1) < 1e-4 })
  }

  /// With the same number of ranks, the resumed run is identical to the last bit.
  @Test("A stopped job resumes exactly with the same number of ranks")
  func aStoppedJobResumesExactly() throws {
    let more = ["--replay-steps", "1", "--storage", "20%", "--no-synchronised-batch-norm"]
    try train(2, "whole", more)
    // The signal goes to one rank; all ranks stop after the same step.
    let outcomes = try train(
      "parts", more + ["--checkpoint-every", "5"], untilStep: 5, thenSignal: SIGTERM, rank: 1)
    #expect(outcomes.map(\.status) == [75, 75], "\(outcomes.map(\.errors))")
    #expect(outcomes[0].errors.contains("--resume") && outcomes[1].errors == "")
    #expect(!folder.exists("parts/result.json"))
    try train(2, "parts", more + ["--resume", "--checkpoint-every", "5"])
    try runs.expectSame(
      "parts", "whole", ["checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "ledger"])
    #expect(try runs.column("loss", of: "parts") == runs.column("loss", of: "whole"))
  }

  /// A signal to one rank makes all ranks cool down together.
  @Test("A signal to one rank cools all of them down")
  func aCoolDownReachesAllRanks() throws {
    let outcomes = try train(
      "run", ["--replay-steps", "1", "--schedule", "on-demand", "--checkpoint-every", "5"],
      untilStep: 5, thenSignal: SIGUSR1, rank: 1)
    #expect(outcomes.map(\.status) == [0, 0], "\(outcomes.map(\.errors))")
    #expect(outcomes[0].errors.contains("Cooling down over") && outcomes[1].errors == "")
    let result = try runs.result("run")
    let (before, steps) = (result.number("coolDown.stepsBefore") ?? 0, result.number("coolDown.steps") ?? 0)
    #expect(before >= 5 && steps >= 1 && before + steps < 51)
    #expect(result.number("stream.examples") == 32 * (before + steps))
    let rates = try runs.column("learning_rate", of: "run").compactMap(Double.init)
    // Two updates per step; the learning rate falls over 2 · steps updates.
    #expect(rates.count == Int(before + steps) && abs((rates.last ?? 0) - 0.0001 / (2 * steps)) < 1e-12)
  }

  @Test(
    "torchrun starts a training, and restarts it after a failure",
    .enabled(if: Torchrun.path != nil, "\(Torchrun.reason)"))
  func torchrun() throws {
    let more = ["--replay-steps", "1", "--storage", "20%", "--checkpoint-every", "4", "--resume"]
    try train(2, "whole", more)
    let program = Program(path: try #require(Torchrun.path))
    // At the first start, rank 1 is killed after the checkpoint of step 4.
    let script = folder.file("rank.sh")
    try folder.write(
      Array(
        """
        #!/bin/sh
        if [ "$RANK" = 1 ] && [ "$TORCHELASTIC_RESTART_COUNT" = 0 ]; then
          "$@" & own=$!
          while [ ! -d "\(folder.file("parts"))/unfinished/step-00000004" ]; do sleep 0.01; done
          kill -9 $own; exit 1
        fi
        exec "$@"
        """.utf8), to: "rank.sh")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
    let outcome = try program.run(
      [
        "--no-python", "--nproc-per-node", "2", "--standalone", "--max-restarts", "1", script, onepass.path,
      ] + arguments("parts", more), environment: ["OMP_NUM_THREADS": "1"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    try runs.expectSame("parts", "whole", ["checkpoint/model.safetensors", "ledger"])
  }

  // MARK: Bad input

  func expectRefusal(_ ranks: Int, _ more: [String], data: String? = nil, naming text: String) throws {
    for outcome in try Ranks.run(
      ranks, of: onepass, arguments("refused", more, data: data), killingAfter: 120)
    {
      #expect(outcome.status == 64 && outcome.errors.contains(text), "\(outcome.status) \(outcome.errors)")
      #expect(outcome.seconds < 60)
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
    #expect(!folder.exists("refused"))
  }

  @Test("Options that need one process are rejected on every rank")
  func optionsForOneProcessAreRefusedOnEveryRank() throws {
    try expectRefusal(
      2, ["--memory-directory", folder.file("memory")], naming: "--memory-directory requires a single process"
    )
    try expectRefusal(
      2, ["--batch-size", "1"], naming: "--batch-size 1 is less than the number of processes, 2")
    try expectRefusal(2, [], data: "wds:-", naming: "can be read by one process only")
    try expectRefusal(2, ["--cuda-graphs"], naming: "--cuda-graphs requires a single process")
    try expectRefusal(2, ["--storage", "5000"], naming: "exceeds the")
  }

  @Test("A rank with other options is named")
  func aRankWithOtherOptionsIsNamed() throws {
    let outcomes = try Ranks.run(
      3, of: Program(path: "/bin/sh"),
      [
        "-c", "exec \"$0\" \"$@\" --seed $((RANK / 2))", onepass.path,
      ] + arguments("differing"), killingAfter: 120)
    for outcome in outcomes {
      #expect(outcome.status == 64 && outcome.errors.contains("--seed"), "\(outcome.errors)")
      #expect(outcome.errors.contains("ank 2"), "\(outcome.errors)")
      #expect(outcome.seconds < 60)
    }
  }

  /// The same path can contain different data on each host.
  @Test("A rank with other data is named")
  func aRankWithOtherDataIsNamed() throws {
    for (rank, count) in [(0, 200), (1, 199), (2, 200)] {
      let data = try TemporaryFolder()
      try StripedImages(count: count, side: 12).write(to: data)
      try FileManager.default.createDirectory(
        atPath: folder.file("host-\(rank)"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: data.path, toPath: folder.file("host-\(rank)/data"))
    }
    let outcomes = try Ranks.run(
      3, of: Program(path: "/bin/sh"),
      ["-c", "cd \(folder.path)/host-$RANK && exec \"$0\" \"$@\"", onepass.path]
        + arguments("mixed", data: "idx:data"), killingAfter: 120)
    for outcome in outcomes {
      #expect(
        outcome.status == 64 && outcome.errors.contains("the length of the stream"), "\(outcome.errors)")
      #expect(outcome.errors.contains("ank 1") && outcome.seconds < 60, "\(outcome.errors)")
    }
    #expect(!folder.exists("mixed"))
  }

  @Test("All ranks report the failure of one")
  func theFailureOfOneRankIsReportedByAll() throws {
    // Only the first rank checks the folder.
    try folder.write([1], to: "taken/file")
    let outcomes = try Ranks.run(2, of: onepass, arguments("taken"), killingAfter: 120)
    for outcome in outcomes {
      #expect(outcome.status != 0 && outcome.errors.contains("is not empty"), "\(outcome.errors)")
      #expect(outcome.seconds < 60)
    }
  }

  @Test("A master that does not start in time ends the rank with a temporary failure")
  func anUnreachableMasterIsReported() throws {
    let start = ContinuousClock.now
    let outcome = try onepass.run(
      arguments("nowhere", ["--wait-for-ranks", "3s"]),
      environment: [
        "RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "\(try Ranks.freePort())",
      ])
    #expect(outcome.status == 75 && outcome.errors.contains("127.0.0.1"), "\(outcome.errors)")
    #expect(outcome.errors.contains(" within 3 s (connection refused); "), "\(outcome.errors)")
    #expect(ContinuousClock.now - start < .seconds(15))
    let missing = try onepass.run(arguments("nowhere"), environment: ["RANK": "1", "WORLD_SIZE": "2"])
    #expect(missing.status == 64 && missing.errors.contains("MASTER_ADDR"), "\(missing.errors)")
    for time in ["0s", "25h", "soon", "300"] {
      let refused = try onepass.run(arguments("nowhere", ["--wait-for-ranks", time]))
      #expect(
        refused.status == 64
          && refused.errors.contains(
            "--wait-for-ranks must be a time of at most 24h, such as 90s, 10m or 2h (got \(time))."),
        "\(refused.errors)")
    }
  }

  /// Hosts start minutes apart; the first one reports what it waits for.
  @Test("A rank that starts long before the master waits for it")
  func aLateMasterIsWaitedFor() throws {
    let outcomes = try Ranks.run(
      2, of: Program(path: "/bin/sh"),
      ["-c", "[ $RANK = 0 ] && sleep 12; exec \"$0\" \"$@\"", onepass.path]
        + arguments("late", ["--method", "naive", "--limit", "64"]))
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
    #expect(outcomes[1].errors.hasPrefix("Note: Waiting for rank 0 at 127.0.0.1:"), "\(outcomes[1].errors)")
    #expect(folder.exists("late/result.json"))
  }
}
