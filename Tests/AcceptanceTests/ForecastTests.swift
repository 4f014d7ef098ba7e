import Foundation
import TestSupport
import TestTraits
import Testing

/// The forecast of `train --dry-run`, compared with the run itself.
@Suite("A dry run forecasts what the run does", .waitsForPrograms) struct ForecastTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws {
    runs = try RunFixture(StripedImages(count: 200), evaluation: StripedImages(count: 60, seed: 2))
  }

  /// The figures of the forecast, compared with those that the run counts.
  @Test(
    "The forecast equals what the run counts",
    arguments: [
      ["--replay-steps", "3", "--storage", "10%"],
      ["--replay-steps", "2", "--updates", "joint", "--limit", "150"],
      ["--method", "naive"], ["--method", "multi-epoch", "--epochs", "3"],
      ["--replay-steps", "1", "--storage", "8kB"], ["--replay-steps", "1", "--drawing", "oldest"],
      ["--replay-steps", "1", "--memory-encoding", "pixels", "--channels", "3"],
    ])
  func theForecastEqualsTheRun(arguments: [String]) throws {
    let options = ["--json"] + arguments
    let before = folder.contents
    let outcome = try runs.train("run", options + ["--dry-run"])
    #expect(outcome.otherErrors.isEmpty, "\(outcome.errors)")
    #expect(folder.contents == before, "a dry run writes nothing")
    let (forecast, result) = (outcome.json, try runs.train(nil, options).json)
    for figure in ["compute.examples", "compute.fraction", "compute.updates", "stream.examples"] {
      #expect(forecast.number(figure) != nil && forecast.number(figure) == result.number(figure), "\(figure)")
    }
    #expect(forecast.number("compute.steps") == result.number("plan.steps"))
    #expect(forecast["configuration"] as? NSDictionary == result["configuration"] as? NSDictionary)
    // All images have one size, so the forecast is exact. A budget in bytes is not filled completely.
    if arguments.contains("8kB") {
      #expect(forecast.number("storage.examples") == result.number("storage.examples"))
    } else {
      #expect(forecast.number("storage.bytes") ?? 0 == result.number("storage.bytes"))
      #expect(forecast.number("storage.examples") ?? 0 == result.number("storage.examples"))
    }
    #expect(forecast.number("time.trainingSeconds") ?? 0 > 0)
    #expect(forecast.number("time.evaluationSeconds") ?? 0 > 0)
    #expect(forecast.number("warmUp.batchSize") == 16)
    // libtorch alone needs more than the lower bound, and a small run less than the upper one.
    #expect((50e6...2e9).contains(forecast.number("peakResidentBytes") ?? 0))
  }

  @Test("The forecast is readable")
  func theForecastIsReadable() throws {
    let outcome = try runs.train(nil, ["--replay-steps", "3", "--storage", "10%", "--dry-run"])
    for text in [
      "stream     200 examples of 4 classes, input 12 x 12", "4.31 % of 90 epochs",
      "776 examples trained",
      "13 steps, 49 updates", "4 effective epochs", "at most 20 examples, about 3.82 kB",
      "time       ", " images/s",
      "memory     peak of about", "nothing was written",
    ] {
      #expect(outcome.output.contains(text), "\(text): \(outcome.output)")
    }
    #expect(!outcome.output.contains("consumed"))
  }

  /// The forecast consumes one example of standard input and reports it. A shuffle buffer consumes none.
  @Test("A dry run takes one example of standard input, and says so")
  func aDryRunConsumesOneExampleOfStandardInput() throws {
    try runs.pack("train.tar")
    let shard = folder.file("train.tar")
    let options = ["--limit", "200", "--classes", "4", "--dry-run"]
    for more in [[], ["--shuffle-buffer", "100"]] {
      let outcome = try runs.train(nil, options + more + ["--json"], data: "wds:-", input: shard)
      #expect(outcome.json.number("stream.imagesSeen") == 1, "\(outcome.errors)")
      #expect((outcome.json.number("storage.shuffleBufferBytes") ?? 0 > 0) == !more.isEmpty)
    }
    let text = try runs.train(nil, options, data: "wds:-", input: shard).output
    #expect(text.contains("the first image has") && text.contains("(consumed from the stream)"), "\(text)")
  }

  @Test("Errors of the run are errors of its dry run")
  func errorsOfTheRunAreErrorsOfItsDryRun() throws {
    let data = ["--data", runs.data, "--dry-run"]
    try folder.write([1], to: "taken/file")
    for (status, sentence, arguments) in [
      (64, "is not empty", data + ["--output", folder.file("taken")]),
      (74, "is not a writable folder", data + ["--output", folder.file("taken/file/run")]),
      (74, "is not a writable folder", data + ["--memory-directory", folder.file("taken/file/memory")]),
      (64, "--resume requires --output.", data + ["--resume"]),
      (
        64, "--checkpoint-every has no effect with --output none",
        data + ["--checkpoint-every", "5", "--output", "none"]
      ),
      (74, "nowhere", data + ["--eval-data", "idx:\(folder.path)/nowhere"]),
      (64, "exceeds the 200 examples", data + ["--storage", "201"]),
      (64, "--data is missing", ["--dry-run"]),
      (65, "there are 2 classes", data + ["--classes", "2"]),
    ] as [(Int32, String, [String])] {
      let before = folder.contents
      let outcome = try onepass.run(["train"] + small + arguments)
      #expect(
        outcome.status == status && outcome.errors.contains(sentence), "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty && folder.contents == before)
    }
    let several = try onepass.run(
      ["train"] + small + data,
      environment: [
        "RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29999",
      ])
    #expect(several.status == 64 && several.errors.contains("run it without the launcher"))
  }

  @Test("The forecast of an unfinished run starts at its last checkpoint")
  func anUnfinishedRunIsForecastFromItsCheckpoint() throws {
    let options = ["--replay-steps", "3", "--checkpoint-every", "1"]
    try runs.trainUntil(step: 2, "run", options, signal: SIGKILL)
    let outcome = try runs.resume("run", options + ["--dry-run", "--json"])
    #expect(outcome.json.number("resumesAfterStep") ?? 0 >= 2, "\(outcome.errors)")
    try runs.resume("run", options)
    let after = try runs.resume("run", options + ["--dry-run"])
    #expect(after.output.contains("is finished; there is nothing to do"))
  }
}
