import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassData

/// `--memory-key`: runs, resumed and finished, whose images are on disk in encrypted form only.
@Suite("A run with a memory key", .waitsForPrograms) struct EncryptionTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  var key: [String] { ["--memory-key", folder.file("keys")] }

  /// Images of noise, so that bytes from the middle of a file are unique. Example i is about person i mod 8.
  init() throws {
    let folder = try TemporaryFolder()
    for index in 0..<ForgettingTests.count {
      let path = "\(["cat", "dog"][index / 8 % 2])/person-\(index % ForgettingTests.people)/\(index).png"
      try folder.write(try ForgettingTests.file(index), to: "photos/\(path)")
    }
    runs = RunFixture(
      folder, data: "folder:\(folder.file("photos"))",
      options: [
        "--model", "resnet8", "--batch-size", "8", "--replay-steps", "1", "--storage", "40%", "--threads",
        "1",
        "--subject-key", "folder", "--progress", "json",
      ])
  }

  /// The number of images of the stream that can be read in the files of a run and of its memory.
  func traces(in names: [String]) throws -> Int {
    let files = try names.flatMap { name in
      try FileManager.default.subpathsOfDirectory(atPath: folder.file(name)).compactMap {
        FileManager.default.contents(atPath: folder.file("\(name)/\($0)"))
      }
    }
    return try (0..<ForgettingTests.count).count { index in
      let trace = Data(try ForgettingTests.file(index)[80..<104])
      return files.contains { $0.range(of: trace) != nil }
    }
  }

  func weights(_ name: String) throws -> [UInt8] {
    try folder.bytes(of: "\(name)/checkpoint/model.safetensors")
  }

  @Test(
    "It is the same run, and none of its files has an image that can be read",
    arguments: [
      ["--checkpoint-every", "3"],
      ["--checkpoint-every", "4", "--memory-directory", "@memory"],
      ["--checkpoint-every", "4", "--shuffle-buffer", "40"],
    ])
  func itIsTheSameRun(options: [String]) throws {
    let isOnDisk = options.contains("@memory")
    // Shards have an order of their own, which a buffer shuffles. The buffer is in the checkpoints.
    let shard = folder.file("shard.tar")
    let isBuffered = options.contains("--shuffle-buffer")
    let runs = isBuffered ? RunFixture(folder, data: "wds:\(shard)", options: self.runs.options) : self.runs
    if isBuffered {
      let packed = try onepass.run(["pack", self.runs.data, "--output", shard])
      try #require(packed.status == 0, "\(packed.errors)")
    }
    try runs.trainUntil(step: 12, "plain", options, signal: SIGKILL)
    #expect(folder.exists("plain/unfinished/step-00000012/shuffle-buffer") == isBuffered)
    #expect(try traces(in: ["plain"] + (isOnDisk ? ["plain-memory"] : [])) > 20)
    try runs.resume("plain", options)
    try runs.trainUntil(step: 12, "run", options + key, signal: SIGKILL)
    let names = ["run"] + (isOnDisk ? ["run-memory"] : [])
    #expect(try traces(in: names) == 0)
    try runs.resume("run", options + key)
    #expect(try traces(in: names) == 0)
    #expect(try weights("run") == weights("plain"))
    try runs.expectVerified("run")
  }

  @Test("When a subject is forgotten, copies that were made before cannot be read either")
  func copies() throws {
    let options = ["--checkpoint-every", "3"] + key
    try runs.trainUntil(step: 12, "run", options, signal: SIGTERM)
    try FileManager.default.copyItem(atPath: folder.file("run"), toPath: folder.file("copy"))
    let forgotten = try onepass.run(["memory", "forget", folder.file("run"), "--subject", "person-3"])
    #expect(forgotten.status == 0, "\(forgotten.errors)")
    #expect(
      forgotten.output.contains("Keys destroyed: 1 subject. No copy of their images can be read again."))
    #expect(try runs.text("run/forgotten.jsonl").contains("\"keysDestroyed\":1,"))
    try runs.resume("run", options)
    // The key file of another run must not lose a key.
    try runs.train("other", ["--memory-key", folder.file("other-keys")])
    let wrong = ["memory", "forget", folder.file("copy"), "--subject", "person-5", "--memory-key"]
    let refused = try onepass.run(wrong + [folder.file("other-keys")])
    #expect(
      refused.status == 64 && refused.errors.contains("are encrypted with another key file"),
      "\(refused.errors)")
    let mistyped = try onepass.run(wrong + [folder.file("mistyped")])
    #expect(
      mistyped.status == 74 && mistyped.errors.contains("mistyped does not exist"), "\(mistyped.errors)")

    let verified = try onepass.run(["memory", "verify", folder.file("copy"), "--json"])
    let faults = try #require(verified.json["faults"] as? [String])
    #expect(verified.status == 65 && faults.count > 2 && faults.allSatisfy { $0.contains("was destroyed") })
    let resumed = try runs.resume("copy", options)
    let notice = try #require(resumed.errors.split(separator: "\n").first { $0.contains("Removed ") })
    #expect(notice.contains("because the key of their subject was destroyed"), "\(resumed.errors)")

    // A class, by which the subject is not forgotten as a whole.
    let partly = try onepass.run([
      "memory", "forget", folder.file("copy"), "--subject", "person-4", "--class", "cat",
    ])
    #expect(partly.status == 0 && partly.output.contains("The keys are unchanged"), "\(partly.errors)")
  }

  @Test("A run is resumed with its key file only")
  func otherKeys() throws {
    let saving = ["--checkpoint-every", "3"]
    try runs.trainUntil(step: 6, "run", saving + key, signal: SIGTERM)
    try runs.trainUntil(step: 6, "plain", saving + ["--memory-directory", "@memory"], signal: SIGTERM)
    func expectRefusal(_ name: String, _ options: [String], _ message: String, status: Int32 = 64) throws {
      let before = try folder.bytes(of: "keys")
      let outcome = try runs.attempt(name, options + ["--resume"])
      #expect(outcome.status == status && outcome.errors.contains(message), "\(options): \(outcome.errors)")
      #expect(try folder.bytes(of: "keys") == before)
    }
    try expectRefusal("run", [], "--memory-key is required, because the run encrypts its memory.")
    try expectRefusal(
      "plain", key + ["--memory-directory", "@memory"],
      "--memory-key is not possible, because the run was started without it")
    let missing = ["--memory-key", folder.file("missing")]
    try expectRefusal("run", missing, "missing does not exist; restore it.", status: 74)
    #expect(!folder.exists("missing"))
    try runs.resume("plain", saving + ["--memory-directory", "@memory"])
    try runs.train("other", ["--memory-key", folder.file("other-keys")])
    try expectRefusal(
      "run", ["--memory-key", folder.file("other-keys")], "are encrypted with another key file than")
    // The key file was moved.
    try FileManager.default.moveItem(atPath: folder.file("keys"), toPath: folder.file("moved"))
    try runs.resume("run", ["--memory-key", folder.file("moved")])
  }

  @Test("The creation of a key file is reported, but not its use")
  func creation() throws {
    let notice = "Created the key file \(folder.file("keys"))."
    #expect(try runs.attempt("first", key).errors.contains(notice))
    #expect(try !runs.attempt("second", key).errors.contains(notice))
  }

  @Test("Places where the key would protect no image are refused")
  func refusedPlaces() throws {
    func expectRefusal(_ name: String?, _ options: [String], _ message: String) throws {
      let outcome = try runs.attempt(name, options)
      #expect(outcome.status == 64 && outcome.errors.contains(message), "\(options): \(outcome.errors)")
      #expect(name.map { !folder.exists($0) } ?? true)
    }
    try expectRefusal(
      "run", ["--memory-key", folder.file("run/keys")], "whose copies would then contain the key")
    try expectRefusal(
      "run", ["--memory-key", folder.file("run-memory/keys"), "--memory-directory", "@memory"],
      "whose copies would then contain the key")
    try expectRefusal("run", key + ["--log", "tensorboard:pictures"], "event files are not encrypted")
    try expectRefusal(nil, key, "--memory-key requires --output or --memory-directory.")
    try expectRefusal("run", key + ["--method", "naive"], "--memory-key has no effect with --method naive")
    #expect(!folder.exists("keys"))
  }

  @Test("A finished run shows its images with the key file, and none without it")
  func finishedRuns() throws {
    try runs.train("run", key + ["--keep-pictures", "8", "--keep-state"])
    #expect(try traces(in: ["run"]) == 0)
    func page() throws -> (pictures: Int, outcome: Program.Outcome) {
      let outcome = try onepass.run([
        "memory", "inspect", folder.file("run"), "--html", folder.file("memory.html"),
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let text = try runs.text("memory.html")
      return (text.components(separatedBy: "data:image/png").count - 1, outcome)
    }
    #expect(try page().pictures == 16)
    try runs.train("more", key + ["--extend", folder.file("run")])
    try runs.expectVerified("more")

    try FileManager.default.moveItem(atPath: folder.file("keys"), toPath: folder.file("elsewhere"))
    let without = try page()
    #expect(without.pictures == 0 && without.outcome.errors.contains("keys does not exist"))
    let moved = try onepass.run([
      "memory", "inspect", folder.file("run"), "--html", folder.file("memory.html"), "--memory-key",
      folder.file("elsewhere"),
    ])
    #expect(moved.status == 0 && moved.output.contains("16 images"), "\(moved.output)\(moved.errors)")
  }

  @Test("Each cell of a grid has a key file of its own")
  func grids() throws {
    let grid = """
      options:
        data: \(runs.data)
        model: resnet8
        batch-size: 8
        memory-key: \(folder.file("keys"))
      seeds: 2
      cells:
        - {method: replay, replay-steps: 1}
      """
    try folder.write(Array(grid.utf8), to: "grid.yaml")
    let outcome = try onepass.run([
      "experiment", "run", folder.file("grid.yaml"), "--output", folder.file("grid"),
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
      $0.hasPrefix("keys.")
    }
    #expect(files.count == 2, "\(files)")
  }
}
