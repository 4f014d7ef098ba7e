import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@Suite("A resumed run equals an uninterrupted one to the last bit", .waitsForPrograms) struct ResumeTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws {
    runs = try RunFixture(
      StripedImages(count: 300, side: 28), evaluation: StripedImages(count: 40, side: 28, seed: 2),
      options: ["--model", "resnet8", "--batch-size", "16", "--threads", "1", "--progress", "json"])
  }

  /// Weights, momentum, memory, ledger, curve and result, without paths and times.
  func outcome(_ name: String) throws -> [String: Data] {
    var outcome: [String: Data] = [:]
    for file in [
      "checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "checkpoint/memory.csv", "ledger",
    ] where folder.exists("\(name)/\(file)") {
      outcome[file] = Data(try folder.bytes(of: "\(name)/\(file)"))
    }
    // Folders and times differ between runs.
    let position = jsonObject(Data(try folder.bytes(of: "\(name)/checkpoint/progress.json")))
      .filter { !["memoryRun", "arrivals"].contains($0.key) }
    outcome["progress"] = try JSONSerialization.data(withJSONObject: position, options: .sortedKeys)
    let points = try runs.text("\(name)/curve.csv").split(separator: "\n").map {
      $0.split(separator: ",").dropLast().joined(separator: ",")
    }
    outcome["curve"] = Data(points.joined(separator: "\n").utf8)
    // Pictures that were logged after a checkpoint are logged again.
    let lines = try runs.text("\(name)/result.json")
      .replacing((folder.path as NSString).lastPathComponent, with: "")
      .replacing(/"(?:p|loggedP)ictures" : \{[^}]*\}/, with: "").split(separator: "\n")
      .filter { line in
        // What the allocator rounds up depends on the history of its free blocks. A silence of the stream separates two
        // mini-batches that are otherwise in flight together.
        ![
          "Seconds\"", "imagesPerSecond", "decodeThreads", "memoryDirectory", "memoryKey", "allocatorBytes",
          "batchEncodedBytes", "batchDecodedBytes", "decodePeakBytes", "waitShare",
        ].contains { line.contains($0) }
      }
    outcome["result"] = Data(lines.joined(separator: "\n").utf8)
    return outcome
  }

  /// The files of a run, and its duration.
  struct Uninterrupted: Sendable {
    let outcome: [String: Data]
    let seconds: Double
  }

  private static let uninterrupted = Shared<[String], Uninterrupted>()

  /// The uninterrupted run of a method, trained once for all tests.
  func uninterrupted(_ method: [String]) throws -> Uninterrupted {
    try Self.uninterrupted.value(for: method) {
      let duration = try ContinuousClock().measure { try runs.train("uninterrupted", method) }
      return try Uninterrupted(outcome: outcome("uninterrupted"), seconds: duration / .seconds(1))
    }
  }

  func expect(_ name: String, is whole: [String: Data], _ comment: String) throws {
    let parts = try outcome(name)
    #expect(parts.keys == whole.keys && whole.count >= 5, "\(comment)")
    for (part, data) in whole { #expect(parts[part] == data, "\(comment): \(part) differs") }
  }

  static let methods: [[String]] = [
    ["--method", "naive"], ["--method", "multi-epoch", "--epochs", "3"],
    ["--method", "multi-epoch", "--epochs", "3", "--order-seed", "5"],
    ["--replay-steps", "2", "--storage", "20%"], ["--replay-steps", "2", "--order-seed", "5"],
    ["--replay-steps", "2", "--storage", "40kB", "--priority-timing", "refreshed"],
    [
      "--replay-steps", "1", "--storage", "30", "--drawing", "fewest-replays", "--evicting",
      "lowest-priority",
    ],
    [
      "--replay-steps", "1", "--updates", "joint", "--priority-timing", "current", "--memory-encoding",
      "pixels",
    ],
    ["--replay-steps", "2", "--storage", "20%", "--memory-directory", "@memory"],
    ["--replay-steps", "2", "--storage", "20%", "--stored-predictions", "0.5"],
    [
      "--replay-steps", "2", "--storage", "20%", "--priority", "learnability", "--priority-timing",
      "refreshed",
    ],
    ["--replay-steps", "2", "--storage", "20%", "--priority", "pruning", "--priority-timing", "refreshed"],
    [
      "--replay-steps", "2", "--optimiser", "muon", "--schedule", "trapezoid", "--warm-up", "0.1",
      "--weight-decay", "5e-4", "--weight-decay-on", "filters", "--weight-average", "0.9",
      "--label-smoothing", "0.1", "--mixing", "cutmix", "--blur-pool",
    ],
    [
      "--method", "multi-epoch", "--epochs", "3", "--mixing", "mixup", "--weight-average", "0.9",
      "--cuda-graphs",
    ],
    [
      "--replay-steps", "2", "--storage", "8kB", "--augmentation", "rand,cut-out", "--augmentation-growth",
      "2",
      "--memory-encoding", "resized", "--memory-size", "8", "--memory-quality", "30", "--incoming-form",
      "stored",
    ],
    [
      "--replay-steps", "1", "--storage", "120kB", "--memory-directory", "@memory", "--checkpoint-every", "2",
      "--keep-checkpoints", "3", "--stored-predictions", "0.2", "--mixing", "mixup",
    ],
  ]

  /// Stopped repeatedly by signals after a few more steps, with different numbers of decode threads.
  @Test("A run that is stopped repeatedly ends the same", arguments: methods)
  func aStoppedRunResumesExactly(method: [String]) throws {
    var stops = 0
    for (threads, signal) in [("1", SIGTERM), ("3", SIGINT), ("2", SIGHUP), ("1", SIGINT)] {
      let running = try runs.start("parts", method + ["--resume", "--decode-threads", threads])
      _ = running.wait(for: "\"event\":\"step\"")
      running.signal(signal)
      runs.expectStopped(running, "parts")
      if folder.exists("parts/result.json") { break }
      #expect(running.errors.contains("run the same command with --resume."), "\(running.errors)")
      #expect(folder.exists("parts/unfinished"))
      stops += 1
    }
    #expect(stops >= 2)
    try runs.resume("parts", method)
    #expect(!folder.exists("parts/unfinished"))
    try expect("parts", is: uninterrupted(method).outcome, "\(method), \(stops) stops")
  }

  /// The progress goes to a pipe whose reader ends after the first line.
  @Test("A run whose reader is gone is saved, and resumes")
  func aRunWithoutAReaderIsSaved() throws {
    let options = ["--replay-steps", "40", "--storage", "10%"]
    let command =
      #"set -o pipefail; "$0" "$@" --progress json 2>&1 >/dev/null | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}"#
    let outcome = try Program(path: "/bin/bash").run(
      ["-c", command, onepass.path] + runs.arguments("parts", options))
    #expect(outcome.status == 75 && !folder.exists("parts/result.json"), "\(outcome.status)")
    try runs.resume("parts", options)
    try runs.expectVerified("parts")
  }

  /// Shards resume by seeking or skipping, standard input by skipping. The contents of a shuffle buffer come from the
  /// checkpoint, or from the skipped examples.
  @Test(
    "Shards and standard input resume where they stopped",
    arguments: [
      ("train-{0..2}.tar", []), ("train.tar.zst", []), ("-", []),
      ("train-{0..2}.tar", ["--shuffle-buffer", "100"]), ("train.tar.zst", ["--shuffle-buffer", "40kB"]),
      ("-", ["--shuffle-buffer", "100"]),
    ])
  func streamsResumeWhereTheyStopped(pattern: String, more: [String]) throws {
    let shards = try runs.pack(pattern == "-" ? "stdin.tar.gz" : pattern)
    let input = pattern == "-" ? folder.file("stdin.tar.gz") : nil
    let data = pattern == "-" ? "wds:-" : shards
    let options = ["--replay-steps", "1", "--limit", "280", "--classes", "4"] + more
    try runs.train("whole", options, data: data, input: input)
    let running = try runs.start("parts", options + ["--checkpoint-every", "4"], data: data, input: input)
    _ = running.wait(for: "\"event\":\"step\"")
    running.signal(SIGTERM)
    runs.expectStopped(running, "parts")
    if pattern == "-" {
      // The same examples in another order are a different stream.
      try runs.pack("other.tar", ["--seed", "4"])
      let refused = try runs.attempt(
        "parts", options + ["--resume"], data: data, input: folder.file("other.tar"))
      #expect(
        refused.status == 65 && refused.errors.contains("does not match the ledger"),
        "\(refused.errors)")
    }
    let last = try runs.resume("parts", options, data: data, input: input)
    try runs.expectVerified("parts")
    if pattern == "-" { #expect(last.errors.contains("were read again and skipped"), "\(last.errors)") }
    try expect("parts", is: outcome("whole"), "\(pattern) \(more)")
  }

  /// Stopped after each step, so that the buffer is saved and restored repeatedly, and killed between two checkpoints.
  @Test("A run with a shuffle buffer that is stopped and killed repeatedly ends the same")
  func aShuffleBufferResumesAfterRepeatedStops() throws {
    try StripedImages(count: 1_200, side: 28).write(to: folder)
    let data = try runs.pack("train.tar")
    let options = [
      "--replay-steps", "2", "--storage", "20%", "--shuffle-buffer", "50", "--subject-key", "stem",
    ]
    try runs.train("whole", options, data: data)
    var stops = 0
    while !folder.exists("parts/result.json"), stops < 30 {
      let running = try runs.start("parts", options + ["--resume", "--checkpoint-every", "3"], data: data)
      _ = running.wait(for: "\"event\":\"step\"", times: 3)
      running.signal(stops % 2 == 0 ? SIGTERM : SIGKILL)
      _ = running.wait()
      stops += 1
      if stops == 1, !folder.exists("parts/result.json") {
        let refused = try onepass.run(["memory", "forget", folder.file("parts"), "--subject", "00000001"])
        #expect(
          refused.status == 64 && refused.errors.contains("its shuffle buffer holds examples"),
          "\(refused.errors)")
      }
    }
    try runs.resume("parts", options, data: data)
    #expect(stops >= 2)
    try runs.expectVerified("parts")
    try expect("parts", is: outcome("whole"), "after \(stops) stops")
  }

  /// Killed at random instants, also during a checkpoint, and restarted each time.
  @Test(
    "A run that is killed at random instants ends the same",
    arguments: [
      ["--method", "naive"], ["--replay-steps", "2", "--storage", "20%"],
      ["--replay-steps", "2", "--storage", "20%", "--memory-directory", "@memory"],
      ["--replay-steps", "1", "--storage", "100kB", "--memory-directory", "@memory"],
    ])
  func aKilledRunResumesExactly(method: [String]) throws {
    let whole = try uninterrupted(method)
    var chance = SeededGenerator(seed: 1, .test)
    var kills = 0
    while !folder.exists("parts/result.json"), kills < 8 {
      let running = try runs.start("parts", method + ["--resume", "--checkpoint-every", "1"])
      if running.wait(for: "\"event\":\"started\"") {
        Thread.sleep(forTimeInterval: whole.seconds * 0.3 * chance.nextUnit())
      }
      running.signal(SIGKILL)
      _ = running.wait()
      kills += 1
    }
    try runs.resume("parts", method)
    #expect(kills >= 2)
    try runs.expectVerified("parts")
    try expect("parts", is: whole.outcome, "after \(kills) kills")
  }

  /// A budget in examples makes the same choices on disk and in RAM.
  @Test("A memory on disk trains the same weights as one in RAM")
  func aMemoryOnDiskTrainsTheSameWeights() throws {
    let options = ["--replay-steps", "2", "--storage", "20%"]
    try runs.train("ram", options + ["--keep-pictures", "24"])
    try runs.train("disk", options + ["--memory-directory", "@memory"])
    let (ram, disk) = (try outcome("ram"), try outcome("disk"))
    for part in ["model.safetensors", "optimiser.safetensors", "memory.csv"].map({ "checkpoint/\($0)" }) {
      #expect(ram[part] == disk[part] && ram[part] != nil, "\(part) differs")
    }
    #expect(folder.exists("disk-memory/images.sqlite") && folder.exists("disk/checkpoint/memory.index"))
    // Copies of a few images are kept only if the memory itself is not on disk.
    #expect(folder.exists("ram/checkpoint/pictures") && !folder.exists("disk/checkpoint/pictures"))
  }

  @Test(
    "A damaged checkpoint is named, and the one before it is offered",
    arguments: [[], ["--memory-directory", "@memory"]])
  func aDamagedCheckpointIsNamedAndTheOneBeforeOffered(memory: [String]) throws {
    // No item is evicted, so every page of the store has an image of the last checkpoint.
    let options = ["--replay-steps", "1", "--storage", "100%"] + memory
    try runs.train("whole", options)
    let stopped = try runs.start("parts", options + ["--checkpoint-every", "1"])
    _ = stopped.wait { folder.exists("parts/unfinished/step-00000002") }
    stopped.signal(SIGTERM)
    runs.expectStopped(stopped, "parts")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("parts/unfinished"))
      .filter { $0.hasPrefix("step-") }.sorted()
    #expect(names.count == 2)
    let last = "parts/unfinished/\(try #require(names.last))"

    for file in ["manifest", "memory.index", "model.safetensors", "optimiser.safetensors", "state.json"] {
      let whole = try folder.bytes(of: "\(last)/\(file)")
      for place in [0, whole.count / 2, whole.count - 1] {
        var damaged = whole
        damaged[place] ^= 0x10
        try folder.write(damaged, to: "\(last)/\(file)")
        let outcome = try runs.attempt("parts", options + ["--resume"])
        #expect(
          outcome.status == 65 && outcome.errors.contains("\(file) is damaged"),
          "\(outcome.errors)")
        #expect(
          outcome.errors.contains("To resume from \(names[0]), remove \(folder.file(last))."),
          "\(outcome.errors)")
      }
      try folder.write(whole, to: "\(last)/\(file)")
    }
    // All checkpoints share the archive of the images and the ledger.
    var common = [("parts/unfinished/ledger", 40)]
    let store = "parts/unfinished/images.sqlite"
    if memory.isEmpty {
      // The last page is an overflow page of an image.
      common.append((store, try folder.bytes(of: store).count - 300))
    }
    for (file, place) in common {
      let whole = try folder.bytes(of: file)
      var damaged = whole
      damaged[place] ^= 0x10
      try folder.write(damaged, to: file)
      let outcome = try runs.attempt("parts", options + ["--resume"])
      #expect(outcome.status == 65 && outcome.errors.contains("is damaged"), "\(file): \(outcome.errors)")
      // The previous checkpoint is offered only if it does not need the damaged file. All checkpoints need the ledger; whether
      // they need the image depends on the step at which the run was stopped.
      try FileManager.default.copyItem(atPath: folder.file("parts"), toPath: folder.file("before"))
      try FileManager.default.removeItem(atPath: folder.file(last.replacing("parts", with: "before")))
      let before = try runs.attempt("before", options + ["--resume"])
      if before.status == 0 {
        #expect(file == store, "A run without its ledger cannot be resumed.")
        #expect(outcome.errors.contains("To resume from \(names[0]), remove"), "\(file): \(outcome.errors)")
        try expect("before", is: self.outcome("whole"), "from the checkpoint that was offered")
      } else {
        #expect(before.status == 65, "\(file): \(before.errors)")
        #expect(outcome.errors.contains("No other checkpoint is usable"), "\(outcome.errors)")
      }
      try FileManager.default.removeItem(atPath: folder.file("before"))
      try folder.write(whole, to: file)
    }
    try FileManager.default.removeItem(atPath: folder.file(last))
    let outcome = try runs.attempt("parts", options + ["--resume"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    try expect("parts", is: self.outcome("whole"), "from the checkpoint before")
  }

  /// A stop during the evaluation is handled, and the training is kept.
  @Test(
    "A stop during the evaluation loses no training", arguments: [[], ["--memory-directory", "@memory"]])
  func aStopDuringTheEvaluationKeepsTheTraining(memory: [String]) throws {
    try StripedImages(count: 4_000, side: 28, seed: 2).write(to: folder, prefix: "t10k")
    let options = ["--replay-steps", "1", "--storage", "20%", "--limit", "64"] + memory
    try runs.train("whole", options)
    let running = try runs.start("parts", options)
    #expect(running.wait(for: "\"event\":\"evaluated\""))
    running.signal(SIGTERM)
    runs.expectStopped(running, "parts")
    #expect(!folder.exists("parts/result.json") && folder.exists("parts/unfinished/step-00000004"))
    let last = try runs.attempt("parts", options + ["--resume"])
    #expect(last.status == 0, "\(last.errors)")
    try expect("parts", is: outcome("whole"), "\(memory)")
  }

  @Test("A run that cannot be resumed says why")
  func aRunThatCannotResumeSaysWhy() throws {
    let options = ["--replay-steps", "1"]
    let running = try runs.start("parts", options)
    _ = running.wait(for: "\"event\":\"step\"")
    running.signal(SIGTERM)
    runs.expectStopped(running, "parts")

    let anew = try runs.attempt("parts", options)
    #expect(
      anew.status == 64 && anew.errors.contains("contains an unfinished run; pass --resume"))
    let other = try runs.attempt("parts", ["--replay-steps", "2", "--resume"])
    #expect(
      other.status == 64 && other.errors.contains("was started with other options (replay-steps 1, not 2)"))
    let lock = open(folder.file("parts/unfinished/.lock"), O_RDWR)
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    let second = try runs.attempt("parts", options + ["--resume"])
    #expect(second.status == 64 && second.errors.contains("is in use by another process"), "\(second.errors)")
    close(lock)
    try StripedImages(count: 310, side: 28).write(to: folder)
    let longer = try runs.attempt("parts", options + ["--resume"])
    #expect(
      longer.status == 65 && longer.errors.contains("has 310 examples, and the run was started with 300"))
    try StripedImages(count: 300, side: 28).write(to: folder)
    try runs.resume("parts", options)
    let finished = try runs.attempt("parts", options + ["--resume"])
    #expect(finished.status == 0 && finished.errors.contains("is already finished"))

    let directory = ["--memory-directory", folder.file("elsewhere")]
    let moved = try runs.start("disk", options + ["--memory-directory", "@memory"])
    _ = moved.wait(for: "\"event\":\"step\"")
    moved.signal(SIGTERM)
    runs.expectStopped(moved, "disk")
    let inRAM = try runs.attempt("disk", options + ["--resume"])
    #expect(inRAM.status == 64 && inRAM.errors.contains("--memory-directory is required"))
    let gone = try runs.attempt("disk", options + directory + ["--resume"])
    #expect(
      gone.status == 64 && gone.errors.contains("contains no memory, and the run has one on disk"),
      "\(gone.errors)")
    let taken = try runs.attempt("taken", options + ["--memory-directory", folder.file("disk-memory")])
    #expect(
      taken.status == 64 && taken.errors.contains("already contains the memory of a run"), "\(taken.errors)")
    #expect(!folder.exists("taken"))
    try FileManager.default.moveItem(atPath: folder.file("disk-memory"), toPath: folder.file("elsewhere"))
    #expect(try runs.attempt("disk", options + directory + ["--resume"]).status == 0)

    let nowhere = try onepass.run(["train", "--data", "idx:\(folder.path)", "--resume"])
    #expect(nowhere.status == 64 && nowhere.errors.contains("--resume requires --output."))
    let interval = try runs.attempt("x", ["--checkpoint-every", "0"])
    #expect(interval.status == 64 && interval.errors.contains("--checkpoint-every must be a number of steps"))
    #expect(
      try onepass.run(["train", "--data", "x", "--checkpoint-every", "5", "--output", "none"]).errors
        .contains(
          "--checkpoint-every has no effect with --output none; omit it, or pass a folder."))
    // Without a checkpoint the run starts from the beginning.
    #expect(try runs.attempt("fresh", ["--method", "naive", "--resume"]).status == 0)
  }
}
