import Foundation
import TestSupport
import TestTraits
import Testing

/// What is measured of the predictions that a run makes before it trains, and `--drift`.
@Suite("Predictions before training", .waitsForPrograms, .serialized) struct OnlineMeasuresRunTests {
  private let runs: RunFixture
  private static let trained = ["checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "ledger"]
  private static let measured = ["online.csv", "online-classes.csv"]
  /// Two groups of classes, one after the other, with more replays of the first than a run needs.
  private static let drifting = [
    "--stream", "by-class:2", "--replay-steps", "3", "--drift", "page-hinkley:4", "--checkpoint-every", "3",
  ]

  /// 25 steps.
  init() throws {
    runs = try RunFixture(
      StripedImages(count: 400),
      options: ["--model", "resnet8", "--batch-size", "16", "--threads", "1", "--progress", "json"])
  }

  private func rows(_ name: String, _ file: String) throws -> [[String: String]] {
    let lines = try runs.text("\(name)/\(file)").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
  }

  private func alarms(_ name: String) throws -> [[String: Any]] {
    try #require(try runs.result(name)["drift"] as? [[String: Any]])
  }

  @Test("The files, the result and the curve agree")
  func agreement() throws {
    try runs.train("run", ["--replay-steps", "1"])
    let result = try runs.result("run")
    let points = try rows("run", "online.csv")
    let last = try #require(points.last)
    #expect(points.count == 25 && last["examples"] == "400")
    for (column, key) in [
      ("accuracy", "online.top1"), ("loss", "online.loss"), ("calibration_error", "online.calibrationError"),
      ("window_accuracy", "online.window.top1"), ("fading_loss", "online.fading.loss"),
    ] {
      let (value, other) = (last[column].flatMap(Double.init), result.number(key))
      // Foundation's reader of JSON rounds the last bit of some numbers.
      #expect(abs((value ?? 9) - (other ?? -9)) < 1e-12, "\(column)")
    }
    // The curve has the means of each step.
    let losses = try runs.column("loss", of: "run").compactMap(Double.init)
    let loss = try #require(result.number("online.loss"))
    #expect(abs(losses.reduce(0, +) / Double(losses.count) - loss) < 1e-9)
    let classes = try rows("run", "online-classes.csv")
    #expect(classes.count == 4 && classes.reduce(0) { $0 + (Int($1["examples"] ?? "") ?? 0) } == 400)
    let correct = classes.reduce(0) { $0 + (Int($1["correct"] ?? "") ?? 0) }
    #expect(result.number("online.top1") == Double(correct) / 400)
    #expect(result["drift"] == nil)
  }

  /// 501 steps, of which every second has a point.
  @Test("The last row is that of the last step, also if no point is due there")
  func lastRow() throws {
    let runs = try RunFixture(
      StripedImages(count: 501, side: 8),
      options: ["--model", "resnet8", "--batch-size", "1", "--threads", "1", "--quiet"])
    try runs.train("run", ["--method", "naive"])
    let steps = try runs.text("run/online.csv").split(separator: "\n").dropFirst().map {
      Int($0.prefix { $0 != "," })
    }
    #expect(steps.count == 251 && steps.suffix(2) == [500, 501])
    #expect(try runs.column("step", of: "run").last == "501")
  }

  @Test(
    "Drift is reported at its position, in the progress and in the result, and changes no bit of the training"
  )
  func drift() throws {
    let outcome = try runs.train("watched", Self.drifting)
    let plain = Self.drifting.filter { !["--drift", "page-hinkley:4"].contains($0) }
    try runs.train("plain", plain)
    try runs.expectSame("watched", "plain", Self.trained + Self.measured)
    let found = try alarms("watched")
    // The second group of classes begins at example 200.
    let rise = try #require(found.first { $0["label"] == nil && $0["errors"] as? String == "rose" })
    let position = try #require(rise.number("position"))
    #expect((200..<240).contains(position))
    let events = outcome.errors.split(separator: "\n").map { jsonObject(Data($0.utf8)) }
      .filter { $0["event"] as? String == "drift" }
    #expect(events.count == found.count)
    #expect(
      events.contains {
        $0["message"] as? String == "Drift at example \(Int(position)): the rate of errors rose."
      })
  }

  @Test("A run that is killed and resumed has the same measures and alarms")
  func resumed() throws {
    try runs.train("whole", Self.drifting)
    try runs.trainUntil(step: 9, "parts", Self.drifting, signal: SIGKILL)
    try runs.trainUntil(step: 15, "parts", Self.drifting + ["--resume"])
    try runs.resume("parts", Self.drifting)
    try runs.expectSame("parts", "whole", Self.trained + Self.measured)
    #expect(try NSArray(array: alarms("parts")).isEqual(to: alarms("whole")))
    #expect(try !alarms("whole").isEmpty)
  }

  @Test("Several ranks measure the predictions of all")
  func ranks() throws {
    let options = ["--replay-steps", "1", "--drift", "adwin"]
    try runs.train("one", options)
    let outcomes = try Ranks.run(2, of: onepass, runs.arguments("two", options))
    #expect(outcomes.allSatisfy { $0.status == 0 }, "\(outcomes.map(\.errors))")
    for (one, two) in zip(try rows("one", "online-classes.csv"), try rows("two", "online-classes.csv")) {
      #expect(one["label"] == two["label"] && one["examples"] == two["examples"])
    }
    let (one, two) = (try runs.result("one"), try runs.result("two"))
    for key in ["online.top1", "online.loss", "online.calibrationError"] {
      // Statistics of the batch are those of a rank's part.
      #expect(abs((one.number(key) ?? 9) - (two.number(key) ?? -9)) < 0.2, "\(key)")
    }
  }

  @Test(
    "A detector that does not exist, or has no such parameter, is refused",
    arguments: ["ddm", "adwin:1", "kswin:"])
  func refused(text: String) throws {
    let outcome = try runs.attempt("run", ["--drift", text])
    #expect(
      outcome.status == 64 && outcome.errors.contains("--drift") && outcome.errors.contains("(got \(text)"),
      "\(outcome.errors)")
    #expect(!runs.folder.exists("run"))
  }
}
