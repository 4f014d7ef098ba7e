import Foundation
import TestSupport
import Testing

@Suite struct TrainTests {
  let folder: TemporaryFolder
  var data: [String] { ["--data", "idx:\(folder.path)", "--eval-data", "idx:\(folder.path):test"] }

  init() throws {
    folder = try TemporaryFolder()
    try StripedImages(count: 200).write(to: folder)
    try StripedImages(count: 60, seed: 2).write(to: folder, prefix: "t10k")
  }

  func train(_ arguments: [String]) throws -> Program.Outcome {
    try onepass.run(["train"] + data + small + arguments)
  }

  func result(_ name: String) throws -> [String: Any] {
    jsonObject(Data(try folder.bytes(of: "\(name)/result.json")))
  }

  @Test func replayCountsWhatTheClosedFormulaSays() throws {
    let outcome = try train(["--replay-steps", "3", "--storage", "10%", "--output", folder.file("run")])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let result = try result("run")
    // 200 examples in batches of 16: 13 steps; 3 batches of 16 are replayed in every step but the first.
    let trained = 200.0 + 3 * 16 * 12
    #expect(result.number("compute.examples") == trained)
    #expect(abs(try #require(result.number("compute.fraction")) - trained / (90 * 200)) < 1e-12)
    #expect(result.number("compute.updates") == Double(13 + 3 * 12))
    #expect(result.number("storage.examples") == 20)
    #expect(result.number("storage.exampleFraction") == 0.1)
    #expect(result.number("stream.examples") == 200 && result.number("stream.skipped") == 0)
    #expect(result.number("memory.draws") == Double(3 * 16 * 12))
    // 20 images of 144 bytes, and an index that is stated.
    let bytes = try #require(result.number("storage.bytes"))
    #expect(bytes > 20 * 144 && bytes < 20 * (144 + 200))
    #expect(abs(try #require(result.number("storage.byteFraction")) - bytes / (200 * 144)) < 1e-12)
    #expect(try #require(result.number("throughput.imagesPerSecond")) > 0)
    #expect(result["version"] is String)
    #expect((result["configuration"] as? [String: Any])?["seed"] as? Int == 1)
    #expect(result.number("accuracy.examples") == 60)
    #expect(result.number("online.examples") == 200 && result.number("online.top1") ?? -1 > 0)
    #expect((result["memoryContents"] as? [String: Any])?.number("items") == 20)
    #expect((result["machine"] as? [String: Any])?["processor"] is String)
    #expect(try result.number("online.top1") == onlineAccuracy(ofCurve: "run"))
    for name in ["curve.csv", "checkpoint/model.safetensors", "checkpoint/memory.csv"] {
      #expect(folder.exists("run/\(name)"))
    }
    #expect(folder.contents.allSatisfy { !$0.contains("partial") })
    for metric in ["accuracy   top-1", "storage    10.0 %", "compute    4.31 %", "results    "] {
      #expect(outcome.output.contains(metric), "\(outcome.output)")
    }
  }

  /// The accuracy over all examples of a curve: each point has the mean of the examples since the point before.
  func onlineAccuracy(ofCurve name: String) throws -> Double {
    let table = String(decoding: try folder.bytes(of: "\(name)/curve.csv"), as: UTF8.self)
      .split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    let (seen, accuracy) = (table[0].firstIndex(of: "examples_seen"), table[0].firstIndex(of: "accuracy"))
    var (before, correct) = (0.0, 0.0)
    for row in table.dropFirst() {
      let examples = Double(row[try #require(seen)]) ?? .nan
      correct += (examples - before) * (Double(row[try #require(accuracy)]) ?? .nan)
      before = examples
    }
    return (correct.rounded() / before)
  }

  /// Pixels show the model what the files showed it, JPEGs nearly; what they take differs.
  @Test func pixelsInTheMemoryTrainTheSameAndTakeMore() throws {
    let packed = try onepass.run([
      "pack", "idx:\(folder.path)", "--output", folder.file("train.tar"), "--seed", "3",
    ])
    #expect(packed.status == 0, "\(packed.errors)")
    for (name, encoding) in [("files", "original"), ("pixels", "pixels"), ("resized", "resized")] {
      let outcome = try onepass.run(
        ["train", "--data", "wds:\(folder.file("train.tar"))", "--replay-steps", "2", "--memory-encoding"]
          + [encoding, "--output", folder.file(name)] + small)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(
      try folder.bytes(of: "files/checkpoint/model.safetensors")
        == folder.bytes(of: "pixels/checkpoint/model.safetensors"))
    #expect(
      try folder.bytes(of: "files/checkpoint/model.safetensors")
        != folder.bytes(of: "resized/checkpoint/model.safetensors"))
    // 12 x 12 pixels of the three channels of a file.
    #expect(try result("pixels").number("memoryContents.imageBytes") == 20 * 12 * 12 * 3)
    #expect(try result("files").number("memoryContents.imageBytes") ?? 0 < 20 * 12 * 12 * 3)
  }

  @Test func naiveKeepsNothing() throws {
    let result = try train(["--method", "naive", "--json"]).json
    #expect(result.number("storage.examples") == 0 && result.number("storage.bytes") == 0)
    #expect(result.number("compute.examples") == 200 && result.number("compute.updates") == 13)
  }

  @Test func multiEpochKeepsEverythingAndLearns() throws {
    let result = try train(["--method", "multi-epoch", "--epochs", "6", "--json"]).json
    #expect(result.number("storage.exampleFraction") == 1 && result.number("storage.byteFraction") == 1)
    #expect(result.number("stream.examples") == 200)
    #expect(result.number("compute.examples") == 1_200 && result.number("compute.updates") == 78)
    // Chance is 25 %; at 60 images, 60 % is more than five standard errors above it.
    #expect(try #require(result.number("accuracy.top1")) > 0.6)
  }

  @Test func jointUpdatesAreOneAStep() throws {
    let result = try train(["--updates", "joint", "--replay-steps", "2", "--json"]).json
    #expect(result.number("compute.updates") == 13)
    #expect(result.number("compute.examples") == 200.0 + 2 * 16 * 12)
  }

  /// Each option changes the course of the run: the weights are not those of the defaults.
  @Test(arguments: [
    ["--priority", "uniform"], ["--priority-timing", "current"], ["--priority-timing", "refreshed"],
    ["--priority", "learnability", "--priority-timing", "refreshed"],
    ["--priority", "pruning", "--priority-timing", "refreshed"], ["--alpha", "literal"],
    ["--no-importance-weights"], ["--drawing", "fewest-replays"],
    ["--evicting", "oldest"], ["--evicting", "most-replays"], ["--evicting", "largest-class"],
    ["--evicting", "uniform+oldest:0.5"], ["--drawing", "class-balanced"], ["--replay-course", "rising"],
    ["--recency-bias", "1"], ["--incoming-view", "centre"], ["--storage", "30"],
    ["--storage", "8kB"], ["--channels", "3"], ["--image-size", "16"], ["--weight-decay", "0.0005"],
    ["--augmentation", "cut-out"], ["--augmentation", "trivial"], ["--augmentation", "rand,cut-out"],
    ["--memory-encoding", "resized", "--memory-size", "8"],
    ["--memory-encoding", "resized", "--memory-quality", "10"],
    ["--updates", "joint"], ["--momentum", "0.5"], ["--learning-rate", "0.05"], ["--seed", "2"],
    ["--optimiser", "muon"], ["--schedule", "linear"], ["--schedule", "constant"],
    ["--schedule", "trapezoid"], ["--schedule", "on-demand"], ["--warm-up", "0.2"],
    ["--weight-average", "0.9"], ["--label-smoothing", "0.1"], ["--stored-predictions", "0.3"],
    ["--mixing", "mixup"], ["--mixing", "cutmix"], ["--blur-pool"],
  ])
  func everyOptionChangesTheRun(arguments: [String]) throws {
    let common = ["--data", "idx:\(folder.path)"] + small + ["--replay-steps", "2"]
    for (name, more) in [("plain", []), ("changed", arguments)] {
      let outcome = try onepass.run(["train"] + common + more + ["--output", folder.file(name)])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try result(name).number("compute.examples") == Double(200 + 2 * 16 * 12))
    }
    let weights = try ["plain", "changed"].map { try folder.bytes(of: "\($0)/checkpoint/model.safetensors") }
    #expect(weights[0] != weights[1], "\(arguments) changed nothing")
  }

  /// The bytes of each tensor of a run's model.
  private func weights(_ run: String) throws -> [String: [UInt8]] {
    let file = try folder.bytes(of: "\(run)/checkpoint/model.safetensors")
    let length = file.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    let header = jsonObject(Data(file[8..<8 + length]))
    return header.compactMapValues { entry in
      guard let place = (entry as? [String: Any])?["data_offsets"] as? [Int] else { return nil }
      return Array(file[8 + length + place[0]..<8 + length + place[1]])
    }
  }

  /// Equation 1, from what a run wrote: the id of an item tells the step T at which it came in.
  @Test(arguments: ["full", "literal"])
  func everyItemHasThePriorityOfEquationOne(alpha: String) throws {
    _ = try train([
      "--replay-steps", "2", "--storage", "50%", "--alpha", alpha, "--output", folder.file("run"),
    ])
    let table = String(decoding: try folder.bytes(of: "run/checkpoint/memory.csv"), as: UTF8.self)
    let rows = table.split(separator: "\n").dropFirst().map {
      $0.split(separator: ",").compactMap { Double($0) }
    }
    #expect(rows.count == 100)
    for row in rows {
      let (id, loss, priority) = (row[0], row[2], row[3])
      let progress = (id / 16).rounded(.down) / 13
      let expected = 1 - (1 - cos(alpha == "full" ? .pi / 2 * progress : progress)) * exp(-loss)
      #expect(abs(priority - expected) < 1e-5, "example \(Int(id))")
    }
  }

  /// At the end of a run nothing is pruned any more; the losses of learnability are averages, and called so.
  @Test func prioritiesThatFollowReplaysCanBeInspected() throws {
    for priority in ["learnability", "pruning"] {
      let options = ["--replay-steps", "2", "--storage", "50%", "--priority", priority]
      let refused = try train(options)
      #expect(
        refused.status == 64
          && refused.errors.contains(
            "--priority \(priority) follows the losses that items have when they are replayed"),
        "\(refused.errors)")
      let run = folder.file(priority)
      let outcome = try train(options + ["--priority-timing", "refreshed", "--output", run])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let inspected = try onepass.run(["memory", "inspect", run])
      #expect(inspected.output.contains("mean loss (nats)") == (priority == "learnability"))
      let rows = String(decoding: try folder.bytes(of: "\(priority)/checkpoint/memory.csv"), as: UTF8.self)
        .split(separator: "\n").dropFirst().map { $0.split(separator: ",")[3] }
      #expect(rows.count == 100)
      #expect(Set(rows) == ["1.0"] || priority == "learnability")
      #expect(Set(rows).count > 20 || priority == "pruning")
    }
  }

  @Test func aFailedEvaluationKeepsTheModel() throws {
    try StripedImages(count: 20, classes: 6).write(to: folder, prefix: "t10k")
    let outcome = try train(["--method", "naive", "--classes", "4", "--output", folder.file("run")])
    #expect(outcome.status == 65 && outcome.errors.contains("there are 4 classes"), "\(outcome.errors)")
    #expect(try result("run").number("compute.examples") == 200)
    #expect(try result("run")["accuracy"] == nil && folder.exists("run/checkpoint/model.safetensors"))
  }

  @Test func theResolvedConfigurationIsWritten() throws {
    let result = try train(["--method", "naive", "--json", "--decode-threads", "2"]).json
    let configuration = try #require(result["configuration"] as? [String: Any])
    #expect(configuration["device"] as? String == "cpu" && configuration["stem"] as? String == "small")
    #expect(configuration.number("imageSize") == 12 && configuration.number("channels") == 1)
    #expect(configuration.number("threads") == 1 && configuration.number("decodeThreads") == 2)
    #expect(configuration.number("classCount") == 4)
  }

  @Test func aLastMiniBatchOfOneImageTrains() throws {
    for model in ["resnet8", "resnet18"] {
      let outcome = try train([
        "--method", "naive", "--limit", "17", "--model", model, "--stem", "imagenet", "--json",
      ])
      #expect(outcome.json.number("compute.updates") == 2, "\(outcome.errors)")
      #expect(outcome.json.number("accuracy.top1") != nil)
    }
  }

  @Test func budgetInBytesIsNotExceeded() throws {
    let result = try train(["--replay-steps", "1", "--storage", "8kB", "--json"]).json
    let bytes = try #require(result.number("storage.bytes"))
    #expect(bytes <= 8_000 && bytes > 7_000)
  }

  @Test func sameSeedSameWeightsWhateverTheDecodeThreads() throws {
    for (name, threads) in [("a", "1"), ("b", "3")] {
      let outcome = try train([
        "--replay-steps", "2", "--decode-threads", threads, "--output", folder.file(name),
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    _ = try train(["--replay-steps", "2", "--seed", "2", "--output", folder.file("c")])
    let weights = try ["a", "b", "c"].map { try folder.bytes(of: "\($0)/checkpoint/model.safetensors") }
    #expect(weights[0] == weights[1])
    #expect(weights[0] != weights[2])
    #expect(
      try folder.bytes(of: "a/checkpoint/memory.csv") == folder.bytes(of: "b/checkpoint/memory.csv"))
  }

  @Test func jsonOnStandardOutputIsTheFile() throws {
    let outcome = try train(["--replay-steps", "1", "--json", "--output", folder.file("run")])
    #expect(Data(outcome.output.utf8) == Data(try folder.bytes(of: "run/result.json")))
  }

  @Test func aRunCanBeEvaluatedUsedAndInspected() throws {
    let run = folder.file("run")
    _ = try train(["--replay-steps", "2", "--storage", "25%", "--output", run])
    let trained = try result("run")

    let evaluated = try onepass.run([
      "evaluate", "--checkpoint", run, "--data", "idx:\(folder.path):test", "--json", "--threads", "1",
    ])
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    #expect(evaluated.json.number("top1") == trained.number("accuracy.top1"))
    #expect(evaluated.json.number("loss") == trained.number("accuracy.loss"))

    let inspected = try onepass.run(["memory", "inspect", run])
    #expect(inspected.status == 0, "\(inspected.errors)")
    #expect(inspected.output.contains("items       50 of 50: 100.0 % full"))
    #expect(inspected.output.contains("class 0"))
    let figures = try onepass.run(["memory", "inspect", run, "--json"]).json
    #expect(figures.number("items") == 50)

    let compared = try onepass.run(["compare", run, run])
    #expect(compared.output.components(separatedBy: "prioritised replay, k = 2, 25% storage").count == 3)

    try extractImages(count: 2)
    let predicted = try onepass.run([
      "predict", "--checkpoint", run, "--top", "2", folder.file("images/000000.png"), "--json",
    ])
    #expect(predicted.status == 0, "\(predicted.errors)")
    #expect(predicted.output.contains("\"probability\""))
  }

  /// PNG files of the stream's images, made by packing them and unpacking the shard with tar.
  func extractImages(count: Int) throws {
    let packed = try onepass.run([
      "pack", "idx:\(folder.path)", "--output", folder.file("shards/train.tar"), "--seed", "3",
    ])
    #expect(packed.status == 0, "\(packed.errors)")
    try folder.write([], to: "images/.keep")
    let tar = try Program(path: "/bin/tar").run([
      "-xf", folder.file("shards/train.tar"), "-C", folder.file("images"),
    ])
    #expect(tar.status == 0, "\(tar.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("images")).sorted()
    let first = try #require(names.first { $0.hasSuffix(".png") })
    if first != "000000.png" {
      try FileManager.default.copyItem(
        atPath: folder.file("images/\(first)"), toPath: folder.file("images/000000.png"))
    }
  }

  @Test func shardsTrainFromFilesAndFromStandardInput() throws {
    for pattern in ["train-{0..2}.tar", "gz.tar.gz", "one.tar.zst"] {
      let packed = try onepass.run([
        "pack", "idx:\(folder.path)", "--output", folder.file(pattern), "--seed", "3",
      ])
      #expect(packed.status == 0, "\(packed.errors)")
      let trained = try onepass.run(
        ["train", "--data", "wds:\(folder.file(pattern))", "--method", "naive", "--json"] + small)
      #expect(trained.json.number("stream.examples") == 200, "\(trained.errors)")
    }
    let piped = try onepass.run(
      ["train", "--data", "wds:-", "--limit", "200", "--classes", "4", "--method", "naive", "--json"] + small,
      input: folder.file("one.tar.zst"))
    #expect(piped.json.number("stream.examples") == 200, "\(piped.errors)")
  }
}
