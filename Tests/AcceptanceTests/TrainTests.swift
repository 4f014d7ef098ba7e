import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("Training and its results", .waitsForPrograms) struct TrainTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws {
    runs = try RunFixture(StripedImages(count: 200), evaluation: StripedImages(count: 60, seed: 2))
  }

  @Test("The counts of the result follow closed formulas")
  func replayCountsWhatTheClosedFormulaSays() throws {
    let outcome = try runs.train("run", ["--replay-steps", "3", "--storage", "10%"])
    let result = try runs.result("run")
    // 200 examples in batches of 16: 13 steps; 3 batches of 16 are replayed in every step but the first.
    let trained = 200.0 + 3 * 16 * 12
    #expect(result.number("compute.examples") == trained)
    #expect(abs(try #require(result.number("compute.fraction")) - trained / (90 * 200)) < 1e-12)
    #expect(result.number("compute.updates") == Double(13 + 3 * 12))
    #expect(result.number("storage.examples") == 20)
    #expect(result.number("storage.exampleFraction") == 0.1)
    #expect(result.number("stream.examples") == 200 && result.number("stream.skipped") == 0)
    #expect(result.number("memory.draws") == Double(3 * 16 * 12))
    // 20 images of 144 bytes, and the index.
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

  /// The accuracy over all examples of a curve: each point has the mean since the previous point.
  func onlineAccuracy(ofCurve name: String) throws -> Double {
    var (before, correct) = (0.0, 0.0)
    let points = zip(try runs.column("examples_seen", of: name), try runs.column("accuracy", of: name))
    for (seen, accuracy) in points {
      let examples = Double(seen) ?? .nan
      correct += (examples - before) * (Double(accuracy) ?? .nan)
      before = examples
    }
    return correct.rounded() / before
  }

  /// Pixels and files train the same weights, JPEGs nearly the same; their storage differs.
  @Test("Pixels in the memory train the same weights as files")
  func pixelsInTheMemoryTrainTheSame() throws {
    let shard = try runs.pack("train.tar")
    for (name, encoding) in [("files", "original"), ("pixels", "pixels"), ("resized", "resized")] {
      try runs.train(name, ["--replay-steps", "2", "--memory-encoding", encoding], data: shard)
    }
    try runs.expectSame("files", "pixels")
    #expect(try runs.weights("files") != runs.weights("resized"))
    // 12 x 12 pixels with three channels.
    #expect(try runs.result("pixels").number("memoryContents.imageBytes") == 20 * 12 * 12 * 3)
    #expect(try runs.result("files").number("memoryContents.imageBytes") ?? 0 < 20 * 12 * 12 * 3)
  }

  @Test("The naive method stores nothing")
  func naiveStoresNothing() throws {
    let result = try runs.train(nil, ["--method", "naive", "--json"]).json
    #expect(result.number("storage.examples") == 0 && result.number("storage.bytes") == 0)
    #expect(result.number("compute.examples") == 200 && result.number("compute.updates") == 13)
  }

  @Test("The multi-epoch method stores everything and learns")
  func multiEpochStoresEverythingAndLearns() throws {
    let result = try runs.train(nil, ["--method", "multi-epoch", "--epochs", "6", "--json"]).json
    #expect(result.number("storage.exampleFraction") == 1 && result.number("storage.byteFraction") == 1)
    #expect(result.number("stream.examples") == 200)
    #expect(result.number("compute.examples") == 1_200 && result.number("compute.updates") == 78)
    // Chance is 25 %; at 60 images, 60 % is more than five standard errors above it.
    #expect(try #require(result.number("accuracy.top1")) > 0.6)
  }

  @Test("Joint training makes one update per step")
  func jointTrainingMakesOneUpdatePerStep() throws {
    let result = try runs.train(nil, ["--updates", "joint", "--replay-steps", "2", "--json"]).json
    #expect(result.number("compute.updates") == 13)
    #expect(result.number("compute.examples") == 200.0 + 2 * 16 * 12)
  }

  /// Equation 1 from the files of a run: the id of an item determines the step T of its insertion.
  @Test("Every stored priority follows equation 1", arguments: ["full", "literal"])
  func everyItemHasThePriorityOfEquationOne(alpha: String) throws {
    try runs.train("run", ["--replay-steps", "2", "--storage", "50%", "--alpha", alpha])
    let rows = try runs.memory("run").map { $0.compactMap(Double.init) }
    #expect(rows.count == 100)
    for row in rows {
      let (id, loss, priority) = (row[0], row[2], row[3])
      let progress = (id / 16).rounded(.down) / 13
      let expected = 1 - (1 - cos(alpha == "full" ? .pi / 2 * progress : progress)) * exp(-loss)
      #expect(abs(priority - expected) < 1e-5, "example \(Int(id))")
    }
  }

  /// At the end of a run nothing is pruned any more. The losses of learnability are averages, and labelled as such.
  @Test("Priorities that follow replays need refreshed timing, and can be inspected")
  func prioritiesThatFollowReplaysCanBeInspected() throws {
    for priority in ["learnability", "pruning"] {
      let options = ["--replay-steps", "2", "--storage", "50%", "--priority", priority]
      let refused = try runs.attempt(nil, options)
      #expect(
        refused.status == 64
          && refused.errors.contains(
            "--priority \(priority) depends on losses measured at replay; pass --priority-timing refreshed."),
        "\(refused.errors)")
      try runs.train(priority, options + ["--priority-timing", "refreshed"])
      let inspected = try onepass.run(["memory", "inspect", folder.file(priority)])
      #expect(inspected.output.contains("mean loss (nats)") == (priority == "learnability"))
      let rows = try runs.memory(priority).map { $0[3] }
      #expect(rows.count == 100)
      #expect(Set(rows) == ["1.0"] || priority == "learnability")
      #expect(Set(rows).count > 20 || priority == "pruning")
    }
  }

  @Test("A failed evaluation keeps the trained model")
  func aFailedEvaluationKeepsTheModel() throws {
    try StripedImages(count: 20, classes: 6).write(to: folder, prefix: "t10k")
    let outcome = try runs.attempt("run", ["--method", "naive", "--classes", "4"])
    #expect(outcome.status == 65 && outcome.errors.contains("there are 4 classes"), "\(outcome.errors)")
    #expect(try runs.result("run").number("compute.examples") == 200)
    #expect(try runs.result("run")["accuracy"] == nil && folder.exists("run/checkpoint/model.safetensors"))
  }

  @Test("The result contains the resolved configuration")
  func theResolvedConfigurationIsWritten() throws {
    let result = try runs.train(nil, ["--method", "naive", "--json", "--decode-threads", "2"]).json
    let configuration = try #require(result["configuration"] as? [String: Any])
    #expect(configuration["device"] as? String == "cpu" && configuration["stem"] as? String == "small")
    #expect(configuration.number("imageSize") == 12 && configuration.number("channels") == 1)
    #expect(configuration.number("threads") == 1 && configuration.number("decodeThreads") == 2)
    #expect(configuration.number("classCount") == 4)
  }

  @Test("A last mini-batch of one image trains")
  func aLastMiniBatchOfOneImageTrains() throws {
    for model in [["resnet8"], ["resnet18", "--stem", "imagenet"]] {
      let outcome = try runs.train(
        nil, ["--method", "naive", "--limit", "17", "--json", "--model"] + model)
      #expect(outcome.json.number("compute.updates") == 2, "\(outcome.errors)")
      #expect(outcome.json.number("accuracy.top1") != nil)
    }
  }

  @Test("A storage budget in bytes is not exceeded")
  func budgetInBytesIsNotExceeded() throws {
    let result = try runs.train(nil, ["--replay-steps", "1", "--storage", "8kB", "--json"]).json
    let bytes = try #require(result.number("storage.bytes"))
    #expect(bytes <= 8_000 && bytes > 7_000)
  }

  @Test("The same seed trains the same weights with any number of decode threads")
  func sameSeedSameWeightsWhateverTheDecodeThreads() throws {
    for (name, threads) in [("a", "1"), ("b", "3")] {
      try runs.train(name, ["--replay-steps", "2", "--decode-threads", threads])
    }
    try runs.train("c", ["--replay-steps", "2", "--seed", "2"])
    try runs.expectSame("a", "b", ["checkpoint/model.safetensors", "checkpoint/memory.csv"])
    #expect(try runs.weights("a") != runs.weights("c"))
  }

  @Test("The JSON on standard output is the result file")
  func jsonOnStandardOutputIsTheFile() throws {
    let outcome = try runs.train("run", ["--replay-steps", "1", "--json"])
    #expect(Data(outcome.output.utf8) == Data(try folder.bytes(of: "run/result.json")))
  }

  @Test("A run can be evaluated, inspected, compared and used for prediction")
  func aRunCanBeEvaluatedUsedAndInspected() throws {
    let run = folder.file("run")
    try runs.train("run", ["--replay-steps", "2", "--storage", "25%"])
    let trained = try runs.result("run")

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

  /// PNG files of the stream's images, packed to a shard and unpacked with tar.
  func extractImages(count: Int) throws {
    try runs.pack("shards/train.tar")
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

  @Test("Shards train from files and from standard input")
  func shardsTrainFromFilesAndFromStandardInput() throws {
    for pattern in ["train-{0..2}.tar", "gz.tar.gz", "one.tar.zst"] {
      let shards = try runs.pack(pattern)
      let trained = try runs.train(nil, ["--method", "naive", "--json"], data: shards)
      #expect(trained.json.number("stream.examples") == 200)
    }
    let piped = try runs.train(
      nil, ["--limit", "200", "--classes", "4", "--method", "naive", "--json"], data: "wds:-",
      input: folder.file("one.tar.zst"))
    #expect(piped.json.number("stream.examples") == 200)
  }
}
