import Foundation
import TestSupport
import Testing

/// Runs whose images grow, and what their records say of it.
@Suite struct ProgressiveResolutionTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    // 12 x 12 pixels.
    try StripedImages(count: 200).write(to: folder)
    try StripedImages(count: 60, seed: 2).write(to: folder, prefix: "t10k")
  }

  func train(_ name: String, _ more: [String]) throws -> Program.Outcome {
    try onepass.run(
      [
        "train", "--data", "idx:\(folder.path)", "--eval-data", "idx:\(folder.path):test", "--output",
        folder.file(name),
      ] + small + more)
  }

  func result(_ name: String) throws -> [String: Any] {
    jsonObject(Data(try folder.bytes(of: "\(name)/result.json")))
  }

  func sides(_ result: [String: Any]) -> [[String: Int]]? {
    (result["compute"] as? [String: Any])?["sides"] as? [[String: Int]]
  }

  /// 13 steps from half of 12 pixels, to the nearest 4: 6.0, 6.9, 7.8, 8.8, 9.7 | 10.6, 11.5, and 12 from the seventh step on.
  /// The first step replays nothing.
  @Test(arguments: [
    (["--method", "naive"], [80, 120]),
    (["--replay-steps", "2"], [80 + 4 * 32, 120 + 8 * 32]),
    (["--method", "multi-epoch", "--epochs", "2"], [9 * 16, 400 - 9 * 16]),
  ])
  func computeGoesWithThePixels(method: [String], expected: [Int]) throws {
    let outcome = try train("run", ["--progressive-resolution", "0.5"] + method)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let result = try result("run")
    #expect(
      sides(result) == [["side": 8, "examples": expected[0]], ["side": 12, "examples": expected[1]]],
      "\(result["compute"] ?? "")")
    let atFullSide = Double(expected[0]) * 64 / 144 + Double(expected[1])
    #expect(result.number("compute.examples") == Double(expected[0] + expected[1]))
    #expect(abs((result.number("compute.fullSizeExamples") ?? 0) - atFullSide) < 1e-9)
    #expect(abs((result.number("compute.fraction") ?? 0) - atFullSide / (90 * 200)) < 1e-12)
    #expect(
      outcome.output.contains(
        "of 8 to 12 pixels a side, which come to \(Int(atFullSide.rounded())) of the full side")
    )

    // Whoever reads the weights measures them at the full side, as the run did.
    let evaluated = try onepass.run([
      "evaluate", "--checkpoint", folder.file("run"), "--data", "idx:\(folder.path):test", "--threads", "1",
      "--json",
    ])
    #expect(evaluated.json.number("loss") == result.number("accuracy.loss"))
  }

  @Test func aForecastCountsAsTheRunDoes() throws {
    for method in [["--method", "naive"], ["--replay-steps", "2", "--replay-course", "rising"]] {
      let options = ["--progressive-resolution", "0.5"] + method
      let name = "run\(method.count)"
      #expect(try train(name, options).status == 0)
      let forecast = try onepass.run(
        ["train", "--data", "idx:\(folder.path)", "--dry-run", "--json"] + small + options)
      #expect(forecast.status == 0, "\(forecast.errors)")
      let result = try result(name)
      for figure in ["compute.examples", "compute.fullSizeExamples", "compute.fraction"] {
        let (told, counted) = (forecast.json.number(figure), result.number(figure))
        #expect(told != nil && abs((told ?? 0) - (counted ?? 1)) < 1e-9, "\(figure)")
      }
    }
  }

  @Test func withoutItNothingIsSaid() throws {
    #expect(try train("run", ["--method", "naive"]).status == 0)
    let compute = try #require(try result("run")["compute"] as? [String: Any])
    #expect(compute.keys.sorted() == ["examples", "fraction", "updates"])
    #expect(try result("run").number("compute.fraction") == 1.0 / 90)
  }

  @Test(arguments: [
    ["--augmentation", "rand,cut-out"], ["--augmentation", "trivial"], ["--mixing", "cutmix"],
    ["--updates", "joint"], ["--cuda-graphs"], ["--blur-pool"], ["--incoming-view", "centre"],
    ["--memory-encoding", "resized", "--memory-size", "8", "--incoming-form", "stored"],
    ["--memory-encoding", "pixels"], ["--reestimate-batch-norm"], ["--replay-course", "rising"],
  ])
  func goesWith(more: [String]) throws {
    for threads in ["1", "3"] {
      let outcome = try train(
        "run\(threads)",
        ["--progressive-resolution", "0.5", "--replay-steps", "2", "--decode-threads", threads] + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(
      try folder.bytes(of: "run1/checkpoint/model.safetensors")
        == folder.bytes(of: "run3/checkpoint/model.safetensors"))
    #expect(sides(try result("run1"))?.count == 2)
  }

  @Test(arguments: ["0", "-0.5", "1.5", "nan"])
  func whatMeansNothingIsRefused(share: String) throws {
    let outcome = try train("run", ["--progressive-resolution=\(share)"])
    #expect(outcome.status == 64 && !folder.exists("run"), "\(outcome.errors)")
    #expect(
      outcome.errors.contains("--progressive-resolution must be greater than 0 and at most 1 (got "),
      "\(outcome.errors)")
  }
}
