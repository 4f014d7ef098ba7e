import Foundation
import TestSupport
import TestTraits
import Testing

/// A user with a few images and no options.
@Suite("A first attempt on a few images", .waitsForPrograms) struct FirstAttemptTests {
  static let (classes, imagesPerClass) = (3, 60)
  let folder: TemporaryFolder

  /// `photos/train` and `photos/val`: a folder of PNG files for each class.
  init() throws {
    folder = try TemporaryFolder()
    for (part, count, seed) in [("train", Self.classes * Self.imagesPerClass, 1), ("val", 90, 2)] {
      try Self.photographs(
        StripedImages(count: count, classes: Self.classes, side: 24, seed: UInt64(seed)),
        in: "photos/\(part)", of: folder)
    }
  }

  /// Writes images as PNG files, one folder for each class.
  static func photographs(_ images: StripedImages, in place: String, of folder: TemporaryFolder) throws {
    let runs = try RunFixture(images)
    try runs.pack("all.tar")
    try runs.folder.write([], to: "all/.keep")
    let tar = try Program(path: "/bin/tar").run([
      "-xf", runs.folder.file("all.tar"), "-C", runs.folder.file("all"),
    ])
    #expect(tar.status == 0, "\(tar.errors)")
    for name in try FileManager.default.contentsOfDirectory(atPath: runs.folder.file("all")) {
      guard name.hasSuffix(".png") else { continue }
      let label = try runs.text("all/\(name.dropLast(4)).cls")
      try folder.write(try runs.folder.bytes(of: "all/\(name)"), to: "\(place)/class\(label)/\(name)")
    }
  }

  func onepass(_ arguments: [String]) throws -> Program.Outcome {
    try AcceptanceTests.onepass.run(arguments, in: folder)
  }

  static let data = ["--data", "photos/train", "--eval-data", "photos/val"]

  @Test("A run without options beats the majority class, and is kept")
  func aRunWithoutOptionsBeatsTheMajorityClass() throws {
    let outcome = try onepass(["train", "--json"] + Self.data)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for notice in [
      "Note: photos/train is read as folder:photos/train.", "Note: photos/val is read as folder:photos/val.",
      "Note: Writing to runs/", "Note: Chose --model resnet8 --batch-size 16 for a stream of 180 examples",
    ] { #expect(outcome.errors.contains(notice), "\(outcome.errors)") }
    // The majority class has 39 of 90 images at most; six standard errors above it.
    #expect(try #require(outcome.json.number("accuracy.top1")) > 0.75, "\(outcome.errors)")
    let runs = try FileManager.default.contentsOfDirectory(atPath: folder.file("runs"))
    #expect(runs.count == 1 && runs[0].hasSuffix("-photos-replay"))
    let configuration = try #require(outcome.json["configuration"] as? [String: Any])
    #expect(configuration["data"] as? String == "folder:photos/train")
    #expect(configuration["model"] as? String == "resnet8" && configuration.number("batchSize") == 16)
    let choices = (outcome.json["stream"] as? [String: Any])?["choices"] as? [[String: Any]]
    #expect(choices?.map { $0["taken"] as? String } == ["resnet8", "16"])

    // The file of the run repeats it.
    let again = try onepass(["train", "--config", "runs/\(runs[0])/run.yaml", "--output", "again"])
    #expect(again.status == 0 && !again.errors.contains("Chose"), "\(again.errors)")
    let weights = try ["runs/\(runs[0])", "again"].map {
      try folder.bytes(of: "\($0)/checkpoint/model.safetensors")
    }
    #expect(weights[0] == weights[1])
    #expect(
      try onepass(["evaluate", "--checkpoint", "again", "--data", "photos/val"]).errors.contains("is read as")
    )
  }

  @Test("A resumed run keeps the choices of its start")
  func aResumedRunKeepsItsChoices() throws {
    let options = ["train", "--output", "run", "--replay-steps", "1", "--limit", "64"] + Self.data
    let stopped = try RunningProgram(
      AcceptanceTests.onepass, options + ["--checkpoint-every", "1", "--progress", "json"], in: folder)
    #expect(stopped.wait(for: "\"event\":\"step\""))
    stopped.signal(SIGTERM)
    #expect(stopped.wait() == 75, "\(stopped.errors)")
    let resumed = try onepass(options + ["--checkpoint-every", "1", "--resume", "--json"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    let whole = try onepass(options.map { $0 == "run" ? "whole" : $0 })
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(
      try folder.bytes(of: "run/checkpoint/model.safetensors")
        == folder.bytes(of: "whole/checkpoint/model.safetensors"))
    let other = try onepass(["train", "--output", "whole", "--resume", "--model", "resnet8"] + Self.data)
    #expect(other.errors.contains("already finished"))
  }

  @Test("Explicit options and presets win, and a forecast writes nothing")
  func explicitOptionsWin() throws {
    for (options, model, batch) in [
      (["--model", "resnet8"], "resnet8", 128.0), (["--batch-size", "32"], "resnet50", 32),
      (["--preset", "best"], "resnet50", 128), ([], "resnet8", 16),
      (["--stem", "imagenet"], "resnet18", 16),
    ] {
      let outcome = try onepass(["train", "--dry-run", "--json", "--limit", "40"] + options + Self.data)
      let configuration = try #require(outcome.json["configuration"] as? [String: Any], "\(outcome.errors)")
      #expect(configuration["model"] as? String == model && configuration.number("batchSize") == batch)
      #expect(outcome.errors.contains("Chose --model") == (batch == 16))
    }
    #expect(folder.contents == ["photos"])
  }

  @Test("Ranks agree on the choices, and the first names the folder")
  func ranksAgree() throws {
    let outcomes = try Ranks.run(
      2, of: AcceptanceTests.onepass,
      ["train", "--replay-steps", "1", "--limit", "64", "--json"] + Self.data,
      in: folder)
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
    let runs = try FileManager.default.contentsOfDirectory(atPath: folder.file("runs"))
    #expect(runs.count == 1 && folder.exists("runs/\(runs[0])/result.json"))
  }

  @Test("A run that fails leaves no folder, and --output none writes nothing")
  func aFailedRunLeavesNoFolder() throws {
    let failed = try onepass(["train", "--data", "photos/train", "--storage", "1000"])
    #expect(failed.status == 64 && folder.contents == ["photos"], "\(failed.errors)")
    let missing = try onepass(["train", "--data", "photos/trian"])
    #expect(
      missing.status == 64
        && missing.errors.contains("\"photos/trian\": unknown data source; no file or folder has this name;"))
    let nothing = try onepass(
      ["train", "--output", "none", "--method", "naive", "--limit", "32"] + Self.data)
    #expect(nothing.status == 0 && folder.contents == ["photos"], "\(nothing.errors)")
    let resumed = try onepass(["train", "--resume"] + Self.data)
    #expect(resumed.status == 64 && resumed.errors == "Error: --resume requires --output.\n")
  }
}
