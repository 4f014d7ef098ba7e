import Foundation
import OnePassData
import TestSupport
import TestTraits
import Testing

@Suite("--decode-memory", .waitsForPrograms) struct DecodeMemoryTests {
  let runs: RunFixture

  /// Images of 90 kB of noise, which do not compress.
  init() throws {
    let folder = try TemporaryFolder()
    var state: UInt64 = 7
    for index in 0..<48 {
      let pixels = (0..<200 * 150 * 3).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56) / (index % 2 == 0 ? 1 : 2)
      }
      try folder.write(
        encodePNG(pixels, width: 200, height: 150, channels: 3, level: 0),
        to: "data/\(index % 2)/\(index).png")
    }
    runs = RunFixture(
      folder, data: "folder:\(folder.path)/data", evaluationData: "folder:\(folder.path)/data",
      options: small + ["--image-size", "16", "--batch-size", "8"])
  }

  @Test(
    "Weights and memory do not depend on the budget, also where images wait in files",
    arguments: [
      ["--replay-steps", "2", "--storage", "50%"],
      ["--replay-steps", "1", "--memory-encoding", "resized", "--incoming-form", "stored"],
      ["--method", "naive"], ["--method", "multi-epoch", "--epochs", "2"],
    ])
  func resultsDoNotDependOnTheBudget(method: [String]) throws {
    try runs.train("tight", method + ["--decode-memory", "1MB", "--decode-threads", "3"])
    try runs.train("wide", method + ["--decode-memory", "4GB", "--decode-threads", "2"])
    let isReplay = !method.contains("--method")
    try runs.expectSame(
      "tight", "wide",
      ["checkpoint/model.safetensors"] + (isReplay ? ["checkpoint/memory.csv"] : []))
    let (tight, wide) = try (runs.result("tight"), runs.result("wide"))
    func bytes(_ result: [String: Any], _ name: String) -> Double? {
      result.number("storage.uncounted.\(name)")
    }
    #expect(bytes(tight, "decodeBudgetBytes") == 1e6 && bytes(wide, "decodeBudgetBytes") == 4e9)
    #expect(bytes(tight, "decodeWrittenBytes") ?? 0 > 1e6 && bytes(wide, "decodeWrittenBytes") == 0)
    #expect(bytes(tight, "decodePeakBytes") ?? 2e6 <= 1e6 && bytes(wide, "decodePeakBytes") ?? 0 > 1e6)
    #expect(tight.number("accuracy.top1") == wide.number("accuracy.top1"))
    #expect(bytes(tight, "batchEncodedBytes") == bytes(wide, "batchEncodedBytes"))
  }

  @Test("A forecast and the help state the budget, and an impossible one is refused")
  func theBudgetIsShown() throws {
    let forecast = try runs.attempt(nil, ["--dry-run", "--decode-memory", "40MB"])
    #expect(
      forecast.output.contains("at most 40.0 MB of it for waiting images and decoding"), "\(forecast.output)")
    for impossible in ["999kB", "5", "much"] {
      let refused = try runs.attempt("none", ["--decode-memory", impossible])
      #expect(refused.status == 64 && refused.errors.contains("--decode-memory must be a number of bytes"))
    }
  }

  @Test("An image that exceeds the budget is named, as other broken images")
  func anImageBeyondTheBudgetIsBroken() throws {
    let pixels = [UInt8](repeating: 9, count: 3 * 500 * 400)
    try runs.folder.write(encodePNG(pixels, width: 500, height: 400, channels: 3), to: "data/1/huge.png")
    let run = try runs.train("run", ["--decode-memory", "1MB", "--method", "naive"])
    #expect(run.errors.contains("huge.png"), "\(run.errors)")
    #expect(run.errors.contains("500 x 400 pixels takes 616 kB to decode"), "\(run.errors)")
    #expect(try runs.result("run").number("stream.skipped") == 1)
    try runs.train("wide", ["--decode-memory", "2MB", "--method", "naive"])
    #expect(try runs.result("wide").number("stream.skipped") == 0)
  }
}
