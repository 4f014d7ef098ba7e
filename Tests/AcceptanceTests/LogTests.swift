import Foundation
import TestSupport
import TestTraits
import Testing

/// The logs of a run, read back also with the original TensorBoard.
@Suite("A run writes logs while it trains", .waitsForPrograms) struct LogTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  /// Runs of 19 steps.
  init() throws {
    runs = try RunFixture(
      StripedImages(count: 300, side: 28), evaluation: StripedImages(count: 40, side: 28, seed: 2),
      options: [
        "--model", "resnet8", "--batch-size", "16", "--replay-steps", "1", "--storage", "20%", "--threads",
        "1", "--progress", "json",
      ])
  }

  func lines(_ name: String) throws -> [[String: Any]] {
    try runs.text("\(name)/metrics.jsonl")
      .split(separator: "\n").map { jsonObject(Data($0.utf8)) }
  }

  /// The values that do not depend on time.
  func timeless(_ name: String) throws -> [[String: Double]] {
    try lines(name).map { line in
      line.compactMapValues { ($0 as? NSNumber)?.doubleValue }
        .filter { $0.key != "time" && $0.key != "progress/seconds" && !$0.key.hasPrefix("throughput/") }
    }
  }

  func eventFiles(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.file("\(name)/tensorboard")).sorted()
  }

  @Test("Logs grow while the run trains, and remain")
  func logsGrowWhileTheRunTrainsAndRemain() throws {
    let running = try runs.start("run", picturedLogs)
    #expect(running.wait { (try? self.lines("run"))?.first?.number("step") == 1 })
    #expect(!folder.exists("run/result.json"))
    #expect(running.wait() == 0, "\(running.errors)")
    let lines = try lines("run")
    #expect(lines.map { $0["step"] as? Int } == Array(1...19) + [19])
    let result = try runs.result("run")
    #expect(lines.last?["evaluation/top1"] as? Double == result.number("accuracy.top1"))
    #expect(lines[18]["progress/examples_trained"] as? Double == result.number("compute.examples"))
    #expect(lines[18]["memory/bytes"] as? Double ?? 0 <= result.number("storage.bytes") ?? -1)
    #expect(result.number("storage.loggedPictures.count") == 10)
    let pictures = try #require(result.number("storage.loggedPictures.bytes"))
    let events = try #require(try eventFiles("run").first)
    let size = try folder.bytes(of: "run/tensorboard/\(events)").count
    #expect(pictures > 10 * 1_000 && pictures < Double(size))
    #expect(try folder.occurrences(of: "IHDR") == 10)
  }

  @Test("The logs of a run can be chosen")
  func theLogsAreChosen() throws {
    for (name, options, isLogged) in [
      ("none", ["--log", "none"], (false, false, 0)), ("lines", ["--log", "jsonl"], (true, false, 0)),
      ("events", ["--log", "tensorboard"], (false, true, 0)),
      ("time", picturedLogs + ["--time-to-live", "100"], (true, true, 0)),
    ] {
      try runs.train(name, options)
      #expect(folder.exists("\(name)/metrics.jsonl") == isLogged.0, "\(name)")
      #expect(folder.exists("\(name)/tensorboard") == isLogged.1, "\(name)")
      let result = try runs.result(name)
      #expect(result.number("storage.loggedPictures.count") == nil, "\(name)")
    }
    #expect(try folder.occurrences(of: "IHDR") == 0)
    // Logs are not part of the configuration of a run.
    try runs.expectSame("none", "lines")
    let nowhere = try runs.attempt(nil, ["--log", "jsonl"])
    #expect(
      nowhere.status == 64 && nowhere.errors.contains("--log jsonl requires --output."),
      "\(nowhere.errors)")
    let unknown = try runs.attempt(nil, ["--log", "csv"])
    #expect(unknown.status == 64 && unknown.errors.contains("--log csv is unknown"), "\(unknown.errors)")
  }

  @Test("A run that fails or is killed before its first checkpoint leaves no log")
  func aRunThatFailsOrIsKilledBeforeACheckpointLeavesNothing() throws {
    let failed = try runs.attempt("failed", ["--learning-rate", "1e30"])
    #expect(failed.status == 70 && failed.errors.contains("diverged"), "\(failed.errors)")
    #expect(!folder.exists("failed"))
    let killed = try runs.start("killed")
    #expect(killed.wait(for: "\"event\":\"step\""))
    killed.signal(SIGKILL)
    _ = killed.wait()
    #expect(folder.exists("killed/tensorboard"))
    // The folder counts as empty: a new run starts there, and the old log is removed.
    try runs.train("killed")
    #expect(try lines("killed").count == 20 && eventFiles("killed").count == 1)
    // Files of other programs are kept.
    try folder.write([], to: "others/tensorboard/events.out.tfevents.1.x")
    let refused = try runs.attempt("others")
    #expect(refused.status == 64 && refused.errors.contains("is not empty"), "\(refused.errors)")
    #expect(folder.exists("others/tensorboard/events.out.tfevents.1.x"))
  }

  /// A run killed between two checkpoints, with a truncated record and a truncated line.
  func trainInParts(_ name: String) throws {
    let running = try runs.start(name, picturedLogs + ["--checkpoint-every", "3"])
    #expect(
      running.wait {
        runs.hasCheckpoint(of: 6, name) && (try? lines(name).count > 7) ?? false
      })
    running.signal(SIGKILL)
    _ = running.wait()
    let events = "\(name)/tensorboard/\(try #require(try eventFiles(name).first))"
    let written = try folder.bytes(of: events)
    try folder.write(written + written.prefix(20), to: events)
    let metrics = "\(name)/metrics.jsonl"
    try folder.write(try folder.bytes(of: metrics) + Array(#"{"accuracy/inc"#.utf8), to: metrics)
    try runs.resume(name, picturedLogs)
    #expect(try eventFiles(name).count == 2)
  }

  @Test("A resumed run is logged like an uninterrupted one")
  func aResumedRunIsLoggedLikeAnUninterruptedOne() throws {
    try runs.train("whole", picturedLogs)
    try trainInParts("parts")
    #expect(try timeless("parts") == timeless("whole"))
  }

  @Test(
    "TensorBoard reads every scalar, histogram and picture, also of a run that was killed",
    .enabled(if: PythonTensorBoard.path != nil, "\(PythonTensorBoard.reason)"))
  func tensorBoard() throws {
    let python = Program(path: try #require(PythonTensorBoard.path))
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Tools/read_events.py").path
    try runs.train("whole", picturedLogs)
    try trainInParts("parts")
    for name in ["whole", "parts"] {
      let outcome = try python.run([script, folder.file("\(name)/tensorboard")])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let read = outcome.json
      let scalars = try #require(read["scalars"] as? [String: [[Double]]])
      let lines = try lines(name)
      #expect(Set(scalars.keys) == Set(lines.flatMap(\.keys)).subtracting(["step", "time"]))
      for (tag, points) in scalars {
        let written = lines.filter { $0[tag] != nil }
        // Each step occurs once, in order: values beyond the checkpoint of the killed process are purged.
        #expect(points.map { $0[0] } == written.compactMap { $0.number("step") }, "\(name) \(tag)")
        for (point, line) in zip(points, written) {
          let value = try #require(line[tag] as? Double)
          #expect(abs(point[1] - value) <= 1e-6 * max(1, abs(value)), "\(name) \(tag)")
        }
      }
      let histograms = try #require(read["histograms"] as? [String: [[Double]]])
      #expect(Set(histograms.keys) == ["memory/priority", "memory/loss", "memory/draws"])
      let items = lines.compactMap { $0["memory/items"] as? Double }
      for (tag, points) in histograms {
        #expect(points.map { $0[0] } == (1...19).map(Double.init), "\(name) \(tag)")
        #expect(points.map { $0[1] } == items, "\(name) \(tag)")
        #expect(points.map { $0[2] } == items, "\(name) \(tag)")
      }
      let pictures = try #require(read["images"] as? [String: [[Double]]])["memory/by_priority"]
      // After the second step 32 images in rows of eight, then 60; 28 pixels each, with gaps of two pixels.
      let steps: [Double] = [2, 4, 6, 8, 10, 12, 14, 16, 18, 19]
      let expected: [[Double]] = steps.map { [$0, 238, $0 == 2 ? 118 : 238] }
      #expect(pictures == expected, "\(name)")
      #expect((read["texts"] as? [String: String])?["options"]?.contains("| replay-steps | 1 |") == true)
    }
  }
}
