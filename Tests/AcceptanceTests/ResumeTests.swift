import Foundation
import OnePassCore
import TestSupport
import Testing

/// A run that was broken off and went on is the run that was not, to the last bit.
@Suite struct ResumeTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try StripedImages(count: 300, side: 28).write(to: folder)
    try StripedImages(count: 40, side: 28, seed: 2).write(to: folder, prefix: "t10k")
  }

  /// `@memory` stands for a memory directory of the run's own.
  func arguments(_ name: String, _ more: [String], data: String? = nil) -> [String] {
    [
      "train", "--data", data ?? "idx:\(folder.path)", "--eval-data", "idx:\(folder.path):test", "--model",
      "resnet8",
      "--batch-size", "16", "--threads", "1", "--progress", "json", "--output", folder.file(name),
    ] + more.map { $0 == "@memory" ? folder.file("\(name)-memory") : $0 }
  }

  /// Weights, momentum, memory, curve and result, without what only says how long something took.
  func outcome(_ name: String) throws -> [String: Data] {
    var outcome: [String: Data] = [:]
    for file in ["model.safetensors", "optimiser.safetensors", "memory.csv"]
    where folder.exists("\(name)/checkpoint/\(file)") {
      outcome[file] = Data(try folder.bytes(of: "\(name)/checkpoint/\(file)"))
    }
    // Which folder and what time it was is another each time.
    let position = jsonObject(Data(try folder.bytes(of: "\(name)/checkpoint/progress.json")))
      .filter { !["memoryRun", "arrivals"].contains($0.key) }
    outcome["progress"] = try JSONSerialization.data(withJSONObject: position, options: .sortedKeys)
    let curve = String(decoding: try folder.bytes(of: "\(name)/curve.csv"), as: UTF8.self)
    let points = curve.split(separator: "\n").map {
      $0.split(separator: ",").dropLast().joined(separator: ",")
    }
    outcome["curve"] = Data(points.joined(separator: "\n").utf8)
    let result = String(decoding: try folder.bytes(of: "\(name)/result.json"), as: UTF8.self)
    // Pictures that were written beyond a checkpoint are written again.
    let lines = result.replacing(/"(?:p|loggedP)ictures" : \{[^}]*\}/, with: "").split(separator: "\n").filter
    {
      !$0.contains("Seconds\"") && !$0.contains("imagesPerSecond") && !$0.contains("decodeThreads")
        && !$0.contains("memoryDirectory")
    }
    outcome["result"] = Data(lines.joined(separator: "\n").utf8)
    return outcome
  }

  func expectEqual(_ a: String, _ b: String, _ comment: String) throws {
    let (first, second) = (try outcome(a), try outcome(b))
    #expect(first.keys == second.keys && first.count >= 5, "\(comment)")
    for (part, data) in first { #expect(second[part] == data, "\(comment): \(part) differs") }
  }

  static let methods: [[String]] = [
    ["--method", "naive"], ["--method", "multi-epoch", "--epochs", "3"],
    ["--replay-steps", "2", "--storage", "20%"],
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

  /// Stopped by signals again and again, a few steps further each time, with other numbers of decode threads.
  @Test(arguments: methods)
  func aStoppedRunGoesOnExactly(method: [String]) throws {
    #expect(try onepass.run(arguments("whole", method)).status == 0)
    var stops = 0
    for (threads, signal) in [("1", SIGTERM), ("3", SIGINT), ("2", SIGTERM), ("1", SIGINT)] {
      let running = try RunningProgram(
        onepass, arguments("parts", method + ["--resume", "--decode-threads", threads]))
      _ = running.wait(for: "\"event\":\"step\"")
      running.signal(signal)
      #expect(running.wait() == 0, "\(running.errors)")
      if folder.exists("parts/result.json") { break }
      #expect(running.errors.contains("Give the same command with --resume to go on."), "\(running.errors)")
      #expect(folder.exists("parts/unfinished"))
      stops += 1
    }
    #expect(stops >= 2)
    let last = try onepass.run(arguments("parts", method + ["--resume"]))
    #expect(last.status == 0, "\(last.errors)")
    #expect(!folder.exists("parts/unfinished"))
    try expectEqual("whole", "parts", "\(method), \(stops) stops")
  }

  /// Shards go on by seeking or by skipping; standard input by skipping what has passed. What waits in a shuffle buffer comes
  /// from the checkpoint, or from what passes again.
  @Test(arguments: [
    ("train-{0..2}.tar", []), ("train.tar.zst", []), ("-", []),
    ("train-{0..2}.tar", ["--shuffle-buffer", "100"]), ("train.tar.zst", ["--shuffle-buffer", "40kB"]),
    ("-", ["--shuffle-buffer", "100"]),
  ])
  func streamsGoOnWhereTheyWere(pattern: String, more: [String]) throws {
    let shards = pattern == "-" ? "stdin.tar.gz" : pattern
    let packed = try onepass.run([
      "pack", "idx:\(folder.path)", "--output", folder.file(shards), "--seed", "3",
    ])
    #expect(packed.status == 0, "\(packed.errors)")
    let input = pattern == "-" ? folder.file(shards) : nil
    let data = pattern == "-" ? "wds:-" : "wds:\(folder.file(shards))"
    let options = ["--replay-steps", "1", "--limit", "280", "--classes", "4"] + more
    #expect(try onepass.run(arguments("whole", options, data: data), input: input).status == 0)
    let running = try RunningProgram(
      onepass, arguments("parts", options + ["--checkpoint-every", "4"], data: data), input: input)
    _ = running.wait(for: "\"event\":\"step\"")
    running.signal(SIGTERM)
    #expect(running.wait() == 0, "\(running.errors)")
    if pattern == "-" {
      // The same examples in another order are another stream.
      let other = try onepass.run([
        "pack", "idx:\(folder.path)", "--output", folder.file("other.tar"), "--seed", "4",
      ])
      #expect(other.status == 0, "\(other.errors)")
      let refused = try onepass.run(
        arguments("parts", options + ["--resume"], data: data), input: folder.file("other.tar"))
      #expect(
        refused.status == 65 && refused.errors.contains("is not the one that passed there before"),
        "\(refused.errors)")
    }
    let last = try onepass.run(arguments("parts", options + ["--resume"], data: data), input: input)
    #expect(last.status == 0, "\(last.errors)")
    #expect(try onepass.run(["memory", "verify", folder.file("parts")]).status == 0)
    #expect(try folder.bytes(of: "parts/ledger") == folder.bytes(of: "whole/ledger"))
    if pattern == "-" { #expect(last.errors.contains("were read again and passed over"), "\(last.errors)") }
    try expectEqual("whole", "parts", "\(pattern) \(more)")
  }

  /// Stopped after each step, so that what waits is saved and read back time and again, and killed between two checkpoints.
  @Test func aShuffleBufferGoesOnHoweverOftenItIsStopped() throws {
    try StripedImages(count: 1_200, side: 28).write(to: folder)
    let packed = try onepass.run([
      "pack", "idx:\(folder.path)", "--output", folder.file("train.tar"), "--seed", "3",
    ])
    #expect(packed.status == 0, "\(packed.errors)")
    let data = "wds:\(folder.file("train.tar"))"
    let options = [
      "--replay-steps", "2", "--storage", "20%", "--shuffle-buffer", "50", "--subject-key", "stem",
    ]
    #expect(try onepass.run(arguments("whole", options, data: data)).status == 0)
    var stops = 0
    while !folder.exists("parts/result.json"), stops < 30 {
      let running = try RunningProgram(
        onepass, arguments("parts", options + ["--resume", "--checkpoint-every", "3"], data: data))
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
    #expect(try onepass.run(arguments("parts", options + ["--resume"], data: data)).status == 0)
    #expect(stops >= 2)
    #expect(try onepass.run(["memory", "verify", folder.file("parts")]).status == 0)
    #expect(try folder.bytes(of: "parts/ledger") == folder.bytes(of: "whole/ledger"))
    try expectEqual("whole", "parts", "after \(stops) stops")
  }

  /// Killed at random instants, also in the middle of a checkpoint, and each time started again.
  @Test(arguments: [
    ["--method", "naive"], ["--replay-steps", "2", "--storage", "20%"],
    ["--replay-steps", "2", "--storage", "20%", "--memory-directory", "@memory"],
    ["--replay-steps", "1", "--storage", "100kB", "--memory-directory", "@memory"],
  ])
  func aKilledRunGoesOnExactly(method: [String]) throws {
    var status: Int32 = -1
    let length = try ContinuousClock().measure {
      status = try onepass.run(arguments("whole", method)).status
    }
    #expect(status == 0)
    var chance = SeededGenerator(seed: 1, .test)
    var kills = 0
    while !folder.exists("parts/result.json"), kills < 12 {
      let running = try RunningProgram(
        onepass, arguments("parts", method + ["--resume", "--checkpoint-every", "1"]))
      if running.wait(for: "\"event\":\"started\"") {
        Thread.sleep(forTimeInterval: length / .seconds(1) * 0.3 * chance.nextUnit())
      }
      running.signal(SIGKILL)
      _ = running.wait()
      kills += 1
    }
    let last = try onepass.run(arguments("parts", method + ["--resume"]))
    #expect(last.status == 0 && kills >= 2, "\(last.errors)")
    #expect(try onepass.run(["memory", "verify", folder.file("parts")]).status == 0)
    #expect(try folder.bytes(of: "parts/ledger") == folder.bytes(of: "whole/ledger"))
    try expectEqual("whole", "parts", "after \(kills) kills")
  }

  /// A budget in examples makes the same choices wherever the images lie.
  @Test func aMemoryOnDiskTrainsTheSameWeights() throws {
    let options = ["--replay-steps", "2", "--storage", "20%"]
    #expect(try onepass.run(arguments("ram", options)).status == 0)
    #expect(try onepass.run(arguments("disk", options + ["--memory-directory", "@memory"])).status == 0)
    let (ram, disk) = (try outcome("ram"), try outcome("disk"))
    for part in ["model.safetensors", "optimiser.safetensors", "memory.csv"] {
      #expect(ram[part] == disk[part] && ram[part] != nil, "\(part) differs")
    }
    #expect(folder.exists("disk-memory/images.sqlite") && folder.exists("disk/checkpoint/memory.index"))
    // Copies of a few images, and what they are, stay only where the images themselves do not.
    #expect(folder.exists("ram/checkpoint/pictures") && !folder.exists("disk/checkpoint/pictures"))
  }

  @Test(arguments: [[], ["--memory-directory", "@memory"]])
  func aDamagedCheckpointIsNamedAndTheOneBeforeOffered(memory: [String]) throws {
    // Nothing is ever evicted, so that every page of the store has an image of the last checkpoint.
    let options = ["--replay-steps", "1", "--storage", "100%"] + memory
    #expect(try onepass.run(arguments("whole", options)).status == 0)
    let stopped = try RunningProgram(onepass, arguments("parts", options + ["--checkpoint-every", "1"]))
    _ = stopped.wait { folder.exists("parts/unfinished/step-00000002") }
    stopped.signal(SIGTERM)
    #expect(stopped.wait() == 0, "\(stopped.errors)")
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
        let outcome = try onepass.run(arguments("parts", options + ["--resume"]))
        #expect(
          outcome.status == 65 && outcome.errors.contains("\(file) is not what was written"),
          "\(outcome.errors)")
        #expect(
          outcome.errors.contains("remove \(folder.file(last)) to go on from \(names[0])"),
          "\(outcome.errors)")
      }
      try folder.write(whole, to: "\(last)/\(file)")
    }
    // The archive of the images and the ledger are common to all checkpoints.
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
      let outcome = try onepass.run(arguments("parts", options + ["--resume"]))
      #expect(outcome.status == 65 && outcome.errors.contains("is damaged"), "\(file): \(outcome.errors)")
      // The one before is offered if it can do without what is damaged, and only then. No checkpoint can without the
      // ledger; which of them hold the image depends on the step at which the run was stopped.
      try FileManager.default.copyItem(atPath: folder.file("parts"), toPath: folder.file("before"))
      try FileManager.default.removeItem(atPath: folder.file(last.replacing("parts", with: "before")))
      let before = try onepass.run(arguments("before", options + ["--resume"]))
      if before.status == 0 {
        #expect(file == store, "Without its ledger no run goes on.")
        #expect(outcome.errors.contains("to go on from \(names[0])"), "\(file): \(outcome.errors)")
        try expectEqual("whole", "before", "from the checkpoint that was offered")
      } else {
        #expect(before.status == 65, "\(file): \(before.errors)")
        #expect(outcome.errors.contains("no other checkpoint that could be used"), "\(outcome.errors)")
      }
      try FileManager.default.removeItem(atPath: folder.file("before"))
      try folder.write(whole, to: file)
    }
    try FileManager.default.removeItem(atPath: folder.file(last))
    let outcome = try onepass.run(arguments("parts", options + ["--resume"]))
    #expect(outcome.status == 0, "\(outcome.errors)")
    try expectEqual("whole", "parts", "from the checkpoint before")
  }

  /// A stop while the trained model is evaluated is heard too, and nothing of the training is lost.
  @Test(arguments: [[], ["--memory-directory", "@memory"]])
  func aStopDuringTheEvaluationLosesNothing(memory: [String]) throws {
    try StripedImages(count: 4_000, side: 28, seed: 2).write(to: folder, prefix: "t10k")
    let options = ["--replay-steps", "1", "--storage", "20%", "--limit", "64"] + memory
    #expect(try onepass.run(arguments("whole", options)).status == 0)
    let running = try RunningProgram(onepass, arguments("parts", options))
    #expect(running.wait(for: "\"event\":\"evaluated\""))
    running.signal(SIGTERM)
    #expect(running.wait() == 0, "\(running.errors)")
    #expect(!folder.exists("parts/result.json") && folder.exists("parts/unfinished/step-00000004"))
    let last = try onepass.run(arguments("parts", options + ["--resume"]))
    #expect(last.status == 0, "\(last.errors)")
    try expectEqual("whole", "parts", "\(memory)")
  }

  @Test func whatCannotGoOnIsASentence() throws {
    let options = ["--replay-steps", "1"]
    let running = try RunningProgram(onepass, arguments("parts", options))
    _ = running.wait(for: "\"event\":\"step\"")
    running.signal(SIGTERM)
    #expect(running.wait() == 0, "\(running.errors)")

    let anew = try onepass.run(arguments("parts", options))
    #expect(
      anew.status == 64 && anew.errors.contains("holds a run that is not finished: go on with --resume"))
    let other = try onepass.run(arguments("parts", ["--replay-steps", "2", "--resume"]))
    #expect(
      other.status == 64 && other.errors.contains("began with other options (replay-steps 1 and not 2)"))
    let lock = open(folder.file("parts/unfinished/.lock"), O_RDWR)
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    let second = try onepass.run(arguments("parts", options + ["--resume"]))
    #expect(second.status == 64 && second.errors.contains("is in use by another process"), "\(second.errors)")
    close(lock)
    try StripedImages(count: 310, side: 28).write(to: folder)
    let longer = try onepass.run(arguments("parts", options + ["--resume"]))
    #expect(longer.status == 65 && longer.errors.contains("has 310 examples, and the run began with 300"))
    try StripedImages(count: 300, side: 28).write(to: folder)
    #expect(try onepass.run(arguments("parts", options + ["--resume"])).status == 0)
    let finished = try onepass.run(arguments("parts", options + ["--resume"]))
    #expect(finished.status == 0 && finished.errors.contains("is finished"))

    let directory = ["--memory-directory", folder.file("elsewhere")]
    let moved = try RunningProgram(onepass, arguments("disk", options + ["--memory-directory", "@memory"]))
    _ = moved.wait(for: "\"event\":\"step\"")
    moved.signal(SIGTERM)
    #expect(moved.wait() == 0, "\(moved.errors)")
    let inRAM = try onepass.run(arguments("disk", options + ["--resume"]))
    #expect(inRAM.status == 64 && inRAM.errors.contains("say with --memory-directory where it is"))
    let gone = try onepass.run(arguments("disk", options + directory + ["--resume"]))
    #expect(
      gone.status == 64 && gone.errors.contains("holds no memory, and the run has one on disk"),
      "\(gone.errors)")
    let taken = try onepass.run(
      arguments("taken", options + ["--memory-directory", folder.file("disk-memory")]))
    #expect(
      taken.status == 64 && taken.errors.contains("already holds the memory of a run"), "\(taken.errors)")
    #expect(!folder.exists("taken"))
    try FileManager.default.moveItem(atPath: folder.file("disk-memory"), toPath: folder.file("elsewhere"))
    #expect(try onepass.run(arguments("disk", options + directory + ["--resume"])).status == 0)

    let nowhere = try onepass.run(["train", "--data", "idx:\(folder.path)", "--resume"])
    #expect(nowhere.status == 64 && nowhere.errors.contains("--resume goes on in a folder"))
    let interval = try onepass.run(arguments("x", ["--checkpoint-every", "0"]))
    #expect(interval.status == 64 && interval.errors.contains("--checkpoint-every 0 is not possible"))
    #expect(
      try onepass.run(["train", "--data", "x", "--checkpoint-every", "5"]).errors.contains(
        "say with --output"))
    // Nothing to go on from: it begins anew.
    #expect(try onepass.run(arguments("fresh", ["--method", "naive", "--resume"])).status == 0)
  }
}
