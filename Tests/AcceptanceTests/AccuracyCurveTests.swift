import Foundation
import TestSupport
import TestTraits
import Testing

/// `--eval-every`: evaluations along the stream, without an effect on the training.
@Suite("The accuracy along the stream", .waitsForPrograms, .serialized) struct AccuracyCurveTests {
  private let runs: RunFixture
  private static let trained = ["checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "ledger"]

  /// 13 steps.
  init() throws {
    runs = try RunFixture(
      StripedImages(count: 200), evaluation: StripedImages(count: 200, seed: 2),
      options: ["--model", "resnet8", "--batch-size", "16", "--threads", "1", "--progress", "json"])
  }

  private func points(_ name: String) throws -> [[String: Any]] {
    try #require(try runs.result(name)["accuracyCurve"] as? [[String: Any]])
  }

  /// The columns of a curve that do not depend on the time.
  private func curve(_ name: String) throws -> [[String]] {
    let rows = try runs.text("\(name)/curve.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let seconds = try #require(rows[0].firstIndex(of: "seconds"))
    return rows.map { row in row.indices.filter { $0 != seconds }.map { row[$0] } }
  }

  private func logged(_ name: String) throws -> [[Double?]] {
    try runs.text("\(name)/metrics.jsonl").split(separator: "\n").map { jsonObject(Data($0.utf8)) }
      .filter { $0["evaluation/top1"] != nil }
      .map { [$0.number("step"), $0["evaluation/top1"] as? Double, $0["evaluation/loss"] as? Double] }
  }

  @Test(
    "A run that is evaluated along the stream trains the same bits",
    arguments: [
      ["--replay-steps", "1"],
      ["--replay-steps", "2", "--stored-predictions", "0.3", "--weight-average", "0.9"],
      ["--method", "naive", "--weight-average", "0.9"], ["--method", "multi-epoch", "--epochs", "2"],
      ["--replay-steps", "1", "--priority-timing", "refreshed", "--mixing", "none"],
    ])
  func sameBits(options: [String]) throws {
    try runs.train("plain", options)
    try runs.train("evaluated", options + ["--eval-every", "3"])
    var files = Self.trained
    if options.contains("multi-epoch") { files.removeLast() }
    if options[0] == "--replay-steps" { files.append("checkpoint/memory.csv") }
    try runs.expectSame("plain", "evaluated", files)
    for column in ["loss", "accuracy", "updates", "memory_bytes"] {
      #expect(try runs.column(column, of: "plain") == runs.column(column, of: "evaluated"))
    }
    let (plain, evaluated) = (try runs.result("plain"), try runs.result("evaluated"))
    #expect(plain.number("accuracy.loss") == evaluated.number("accuracy.loss"))
    #expect(plain["accuracyCurve"] == nil && plain.number("online.top1") == evaluated.number("online.top1"))
    #expect(try !runs.text("plain/curve.csv").contains("evaluation"))
  }

  /// The first 6 steps of a run of constant learning rate are a whole run of 96 examples.
  @Test(
    "A point is the final accuracy of a run that ends there", arguments: [[], ["--weight-average", "0.9"]])
  func pointsAreFinalAccuracies(average: [String]) throws {
    let options = ["--method", "naive", "--schedule", "constant"] + average
    let data = try runs.pack("stream.tar")
    try runs.train("run", options + ["--eval-every", "3"], data: data)
    let all = try points("run")
    try #require(all.map { $0.number("step") } == [3, 6, 9, 12, 13])
    #expect(all.map { $0.number("examplesSeen") } == [48, 96, 144, 192, 200])
    for (index, limit) in [(1, "96"), (3, "192")] {
      try runs.train("part-\(limit)", options + ["--limit", limit], data: data)
      let part = try runs.result("part-\(limit)")
      for figure in ["top1", "loss", "examples"] {
        let expected = try #require(part.number("accuracy.\(figure)"))
        #expect(abs((all[index].number(figure) ?? -1) - expected) < 1e-9, "\(figure) after \(limit)")
      }
    }
    let result = try runs.result("run")
    #expect(all.last?.number("top1") == result.number("accuracy.top1"))
    let evaluated = try runs.column("evaluation_loss", of: "run")
    let steps = try runs.column("step", of: "run")
    #expect(zip(steps, evaluated).filter { $0.1 != "" }.map(\.0) == ["3", "6", "9", "12", "13"])
    // Foundation reads numbers of JSON with an error in the last digit.
    for (read, point) in zip(evaluated.compactMap(Double.init), all) {
      let loss = try #require(point.number("loss"))
      #expect(abs(read - loss) < 1e-12 * loss)
    }
  }

  @Test("Each evaluation is an event, a line of the log and a row of the curve")
  func events() throws {
    let outcome = try runs.train("run", ["--replay-steps", "1", "--eval-every", "5"])
    let measured = outcome.errors.split(separator: "\n").map { jsonObject(Data($0.utf8)) }
      .filter { $0["accuracy"] != nil && $0["event"] as? String == "evaluated" }
    #expect(measured.map { $0.number("stepsDone") } == [5, 10, 13])
    let all = try points("run")
    #expect(measured.map { $0.number("accuracy.top1") } == all.map { $0.number("top1") })
    #expect(
      try logged("run") == all.map { [$0.number("step"), $0.number("top1"), $0.number("loss")] })
    let lines = try runs.train("lines", ["--replay-steps", "1", "--eval-every", "5", "--progress", "lines"])
    for step in [5, 10, 13] { #expect(lines.errors.contains("Z evaluated after \(step) steps  top-1 ")) }
  }

  @Test("A resumed run has the points of an uninterrupted one")
  func resumed() throws {
    let options = ["--replay-steps", "20", "--eval-every", "2", "--checkpoint-every", "3"]
    try runs.train("whole", options)
    try runs.trainUntil(step: 3, "parts", options)
    try runs.trainUntil(step: 9, "parts", options + ["--resume"], signal: SIGKILL)
    try runs.resume("parts", options)
    try runs.expectSame("parts", "whole", Self.trained + ["checkpoint/memory.csv"])
    #expect(try curve("parts") == curve("whole"))
    #expect(try NSArray(array: points("parts")).isEqual(to: points("whole")))
    #expect(try logged("parts") == logged("whole"))
    // Another interval, or none, is not another run.
    try runs.trainUntil(step: 3, "other", options)
    try runs.resume("other", ["--replay-steps", "20", "--checkpoint-every", "3"])
    try runs.expectSame("other", "whole", Self.trained)
  }

  /// Each evaluation of 12,000 images takes seconds, and reports its progress twice a second.
  @Test("A run that is stopped during an evaluation repeats it when it resumes")
  func stoppedDuringAnEvaluation() throws {
    try StripedImages(count: 12_000, seed: 2).write(to: runs.folder, prefix: "t10k")
    let options = ["--replay-steps", "1", "--weight-average", "0.9", "--eval-every", "7"]
    try runs.train("whole", options)
    let running = try runs.start("parts", options)
    #expect(running.wait(for: "{\"event\":\"evaluated\",\"examples\":"))
    running.signal(SIGTERM)
    #expect(running.wait() == 75, "\(running.errors)")
    let stop = jsonObject(Data((running.errors.split(separator: "\n").last ?? "").utf8))
    #expect(
      stop.number("stepsDone") == 7 && !running.errors.contains("\n{\"accuracy\":"), "\(running.errors)")
    try runs.resume("parts", options)
    try runs.expectSame("parts", "whole", Self.trained)
    #expect(try points("parts").map { $0.number("step") } == [7, 13])
    #expect(try NSArray(array: points("parts")).isEqual(to: points("whole")))
    #expect(try curve("parts") == curve("whole"))
    #expect(try logged("parts") == logged("whole"))
  }

  /// Running statistics differ between ranks; those of the first are evaluated.
  @Test("Ranks share the evaluations, and train the same bits as without them")
  func ranks() throws {
    let options = ["--replay-steps", "1", "--weight-average", "0.9"]
    for (name, more) in [("plain", []), ("evaluated", ["--eval-every", "4"])] {
      for outcome in try Ranks.run(2, of: onepass, runs.arguments(name, options + more)) {
        try #require(outcome.status == 0, "\(outcome.errors)")
      }
    }
    try runs.expectSame("plain", "evaluated", Self.trained + ["checkpoint/memory.csv"])
    #expect(try points("evaluated").map { $0.number("step") } == [4, 8, 12, 13])
    #expect(try points("evaluated").allSatisfy { $0.number("examples") == 200 })
    let outcomes = try Ranks.run(
      2, of: Program(path: "/bin/sh"),
      ["-c", "exec \"$0\" \"$@\" --eval-every $((RANK + 2))", onepass.path] + runs.arguments("differing"))
    for outcome in outcomes {
      #expect(
        outcome.status == 64 && outcome.errors.contains("disagree on --eval-every"), "\(outcome.errors)")
    }
  }

  /// Evaluations of 13 · 6,000 images take longer than the training on 200.
  @Test("Evaluations do not count as training time")
  func time() throws {
    try StripedImages(count: 6_000, seed: 2).write(to: runs.folder, prefix: "t10k")
    try runs.train("run", ["--method", "naive", "--eval-every", "1"])
    let result = try runs.result("run")
    let (wall, training) = (result.number("wallSeconds") ?? 0, result.number("trainingSeconds") ?? 0)
    #expect(training > 0 && training < 0.3 * wall, "\(training) of \(wall)")
    #expect(try points("run").count == 13)
  }

  @Test("Evaluation data that can be read only once is refused, and so is an option without effect")
  func refusals() throws {
    let pipe = runs.folder.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    for source in ["wds:-", "wds:\(pipe)"] {
      let outcome = try runs.attempt("refused", ["--eval-data", source, "--eval-every", "3"])
      #expect(
        outcome.status == 64
          && (jsonObject(Data(outcome.errors.utf8))["message"] as? String)
            == "--eval-every reads the evaluation data repeatedly, and \(source) can be read only once; "
            + "pass --eval-data with files, or omit --eval-every.",
        "\(outcome.errors)")
    }
    let without = try RunFixture(runs.folder, data: runs.data).attempt("refused", ["--eval-every", "3"])
    #expect(without.status == 64 && without.errors.contains("--eval-every has no effect without --eval-data"))
    let zero = try runs.attempt("refused", ["--eval-every", "0"])
    #expect(zero.status == 64 && zero.errors.contains("--eval-every must be at least 1"))
    #expect(!runs.folder.exists("refused"))
  }

  /// The data disappears after the start.
  @Test("An evaluation that fails along the stream does not end the training")
  func failure() throws {
    let data = runs.folder.file("t10k.tar")
    let packed = try onepass.run(["pack", "idx:\(runs.folder.path):test", "--output", data])
    #expect(packed.status == 0, "\(packed.errors)")
    let running = try runs.start(
      "run", ["--replay-steps", "8", "--eval-every", "4", "--eval-data", "wds:\(data)"])
    #expect(running.wait(for: "\"event\":\"step\""))
    try FileManager.default.moveItem(atPath: data, toPath: data + ".gone")
    #expect(running.wait(for: "failed, and the training continues"), "\(running.errors)")
    try FileManager.default.moveItem(atPath: data + ".gone", toPath: data)
    #expect(running.wait() == 0, "\(running.errors)")
    #expect(try points("run").last?.number("step") == 13)
  }
}
