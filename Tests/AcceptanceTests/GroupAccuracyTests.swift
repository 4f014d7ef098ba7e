import Foundation
import TestSupport
import TestTraits
import Testing

/// The accuracies after each group of classes of a stream.
@Suite("Accuracy by groups of classes, in a run", .waitsForPrograms, .serialized) struct GroupAccuracyTests {
  private let runs: RunFixture
  private static let trained = ["checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "ledger"]
  private static let options = ["--stream", "by-class:2", "--replay-steps", "2", "--checkpoint-every", "2"]

  /// 25 steps; the first group ends within step 13.
  init() throws {
    runs = try RunFixture(
      StripedImages(count: 400), evaluation: StripedImages(count: 120, seed: 2),
      options: ["--model", "resnet8", "--batch-size", "16", "--threads", "1", "--progress", "json"])
  }

  private func groups(_ name: String) throws -> [String: Any] {
    try #require(try runs.result(name)["groups"] as? [String: Any])
  }

  @Test("A run has the matrix of accuracies, whose last row is that of the final evaluation")
  func matrix() throws {
    let outcome = try runs.train("run", Self.options + ["--schedule", "constant", "--progress", "auto"])
    #expect(outcome.output.contains("groups     2 of 2: average "), "\(outcome.output)")
    let groups = try groups("run")
    let classes = try #require(groups["classes"] as? [[Int]])
    let matrix = try #require(groups["accuracy"] as? [[Double]])
    #expect(classes.map(\.count) == [2, 2] && matrix.count == 2)
    // Nothing of the second group was seen but what is in the last mini-batch of the first.
    #expect(matrix[0][0] > 0.8 && matrix[0][1] < 0.2, "\(matrix)")
    let evaluation = jsonObject(Data(try runs.folder.bytes(of: "run/evaluation.json")))
    let details = try #require(evaluation["classes"] as? [[String: Any]])
    for (group, labels) in classes.enumerated() {
      let own = details.filter { labels.contains(Int($0.number("label") ?? -1)) }
      let correct = own.reduce(0) { $0 + ($1.number("correct") ?? 0) }
      let count = own.reduce(0) { $0 + ($1.number("examples") ?? 0) }
      #expect(abs(matrix[1][group] - correct / count) < 1e-9)
    }
    let curve = try #require(try runs.result("run")["accuracyCurve"] as? [[String: Any]])
    #expect(curve.map { $0.number("step") } == [0, 13, 25])
    #expect(
      groups.number("backwardTransfer").map { abs($0 - (matrix[1][0] - matrix[0][0])) < 1e-12 } == true)
  }

  @Test("The evaluations change no bit of the training, and a resumed run has the same matrix")
  func resumed() throws {
    try runs.train("whole", Self.options)
    try runs.trainUntil(step: 4, "parts", Self.options, signal: SIGKILL)
    try runs.trainUntil(step: 18, "parts", Self.options + ["--resume"])
    try runs.resume("parts", Self.options)
    try runs.expectSame("parts", "whole", Self.trained)
    #expect(try NSDictionary(dictionary: groups("parts")).isEqual(to: groups("whole")))
    let plain = RunFixture(runs.folder, data: runs.data, options: runs.options)
    try plain.train("plain", Self.options)
    try runs.expectSame("plain", "whole", Self.trained)
    #expect(try runs.result("plain")["groups"] == nil)
  }

  @Test("Evaluation data without a class of a group is reported, and the run ends well")
  func lackingClass() throws {
    let outcome = try runs.train("run", Self.options + ["--eval-limit", "1"])
    #expect(try runs.result("run")["groups"] == nil)
    #expect(outcome.errors.contains("no accuracies by group"), "\(outcome.errors)")
  }

  /// The accuracies of the groups, weighted by their examples, are the accuracy over all.
  @Test("Two ranks measure all examples of each group")
  func ranks() throws {
    try runs.train("one", Self.options)
    for outcome in try Ranks.run(2, of: onepass, runs.arguments("two", Self.options)) {
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let classes = try #require(try groups("two")["classes"] as? [[Int]])
    let evaluation = jsonObject(Data(try runs.folder.bytes(of: "one/evaluation.json")))
    let details = try #require(evaluation["classes"] as? [[String: Any]])
    let counts = classes.map { labels in
      details.filter { labels.contains(Int($0.number("label") ?? -1)) }
        .reduce(0) { $0 + ($1.number("examples") ?? 0) }
    }
    #expect(counts.reduce(0, +) == 120)
    for name in ["one", "two"] {
      let curve = try #require(try runs.result(name)["accuracyCurve"] as? [[String: Any]])
      #expect(curve.count == 3)
      for point in curve {
        let groups = try #require(point["groups"] as? [Double])
        let correct = zip(groups, counts).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(correct / 120 - (point.number("top1") ?? 9)) < 1e-9, "\(name)")
      }
    }
  }
}
