import Foundation
import OnePassTorch
import TestSupport
import TestTraits
import Testing

@Suite(
  "Invalid data and arguments end with an error message and a status, and leave no files", .waitsForPrograms)
struct BadInputTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  var idx: String { runs.data }

  init() throws { runs = try RunFixture(StripedImages(count: 120)) }

  /// Runs `train` with an output, and checks its error, its status and that it leaves no files.
  func expectFailure(_ status: Int32, _ sentence: String, _ arguments: [String], input: String? = nil) throws
  {
    let before = folder.contents
    let outcome = try onepass.run(
      ["train", "--output", folder.file("run")] + small + arguments, input: input)
    #expect(outcome.status == status, "\(arguments): status \(outcome.status), \(outcome.errors)")
    let last = outcome.errors.split(separator: "\n").last.map(String.init) ?? ""
    #expect(last.hasPrefix("Error: ") && last.contains(sentence), "\(arguments): \(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(folder.contents == before, "\(arguments) left \(folder.contents)")
  }

  @Test("A path that does not exist is named")
  func missingPath() throws {
    for data in [
      "folder:\(folder.path)/nowhere", "idx:\(folder.path)/nowhere", "list:\(folder.path)/nowhere",
      "wds:\(folder.path)/no-{0..3}.tar",
    ] {
      try expectFailure(74, "\(folder.path)/no", ["--data", data])
    }
  }

  @Test("A folder without images is refused")
  func emptyFolder() throws {
    try folder.write([], to: "empty/.keep")
    try expectFailure(65, "\(folder.path)/empty", ["--data", "folder:\(folder.path)/empty"])
    try folder.write([], to: "classes/a/.keep")
    try folder.write([], to: "classes/b/.keep")
    try expectFailure(65, "\(folder.path)/classes", ["--data", "folder:\(folder.path)/classes"])
  }

  @Test("Text that names no data source is refused")
  func unknownSource() throws {
    try expectFailure(64, "unknown data source", ["--data", "mnist"])
    try expectFailure(64, "unknown data source", ["--data", "ftp:somewhere"])
  }

  @Test("A truncated shard is refused by name", arguments: ["cut.tar", "cut.tar.gz", "cut.tar.zst"])
  func truncatedShard(name: String) throws {
    let shard = try runs.pack(name)
    let bytes = try folder.bytes(of: name)
    try folder.write(Array(bytes.prefix(bytes.count * 2 / 3)), to: name)
    try expectFailure(65, name, ["--data", shard])
  }

  @Test("A corrupt shard is refused by name")
  func corruptShard() throws {
    let shard = try runs.pack("corrupt.tar.zst")
    var bytes = try folder.bytes(of: "corrupt.tar.zst")
    for index in bytes.count / 2..<bytes.count / 2 + 64 { bytes[index] = ~bytes[index] }
    try folder.write(bytes, to: "corrupt.tar.zst")
    try expectFailure(65, "corrupt.tar.zst", ["--data", shard])
    try folder.write(Array("this is no tar".utf8), to: "text.tar")
    try expectFailure(65, "text.tar", ["--data", "wds:\(folder.file("text.tar"))"])
  }

  @Test("A label outside the classes is refused")
  func labelOutsideTheClasses() throws {
    try expectFailure(65, "there are 2 classes", ["--data", idx, "--classes", "2"])
    try expectFailure(
      64, "--stored-predictions supports at most 65536 classes",
      ["--data", idx, "--classes", "65537", "--stored-predictions", "0.3"])
  }

  /// A folder of PNG files by class, with the files of `broken` added.
  func photographs(broken: [[UInt8]]) throws -> String {
    try runs.pack("photographs.tar")
    try folder.write([], to: "unpacked/.keep")
    _ = try Program(path: "/bin/tar").run([
      "-xf", folder.file("photographs.tar"), "-C", folder.file("unpacked"),
    ])
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("unpacked")).sorted()
    for name in files where name.hasSuffix(".png") {
      let key = name.dropLast(4)
      let label = String(decoding: try folder.bytes(of: "unpacked/\(key).cls"), as: UTF8.self)
      try folder.write(try folder.bytes(of: "unpacked/\(name)"), to: "photographs/class\(label)/\(name)")
    }
    for (index, bytes) in broken.enumerated() {
      try folder.write(bytes, to: "photographs/class0/broken\(index).jpg")
    }
    return "folder:\(folder.file("photographs"))"
  }

  /// The start of a JPEG whose frame header claims 60,000 x 60,000 pixels.
  static let huge: [UInt8] =
    [0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 0xEA, 0x60, 0xEA, 0x60, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1]
    + [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0, 0, 0xFF, 0xD9]

  @Test("Broken images are skipped and counted")
  func brokenImagesAreSkippedAndCounted() throws {
    let data = try photographs(broken: [Array("no image".utf8), Self.huge, []])
    let outcome = try runs.train(nil, ["--replay-steps", "1", "--json"], data: data)
    #expect(outcome.json.number("stream.examples") == 123)
    #expect(outcome.json.number("stream.skipped") == 3)
    #expect(outcome.json.number("memory.examplesSeen") == 120)
    let text = try runs.train(nil, ["--method", "naive"], data: data)
    #expect(text.output.contains("skipped    3 broken images of 123"), "\(text.output)")
  }

  @Test("A stream of mostly broken images ends the run")
  func aMostlyBrokenStreamStops() throws {
    let data = try photographs(broken: Array(repeating: Self.huge, count: 40))
    try expectFailure(65, "--broken-limit", ["--data", data])
    try expectFailure(65, "60000", ["--data", data])
  }

  @Test("A storage budget that cannot be met is refused")
  func impossibleStorage() throws {
    for (storage, sentence) in [
      ("0", "at least 1 example"), ("0%", "more than 0%"), ("101%", "at most 100%"),
      ("100B", "too small for any"), ("0.1%", "less than one"), ("121", "exceeds the 120 examples"),
      ("lots", "--storage must be a share"),
    ] {
      try expectFailure(64, sentence, ["--data", idx, "--storage", storage])
    }
  }

  @Test("An unknown model is refused, and the known ones are listed")
  func unknownModel() throws {
    try expectFailure(64, "resnet50", ["--data", idx, "--model", "resnet51"])
  }

  @Test("An unknown device is refused")
  func unknownDevice() throws {
    try expectFailure(64, "quantum", ["--data", idx, "--device", "quantum"])
  }

  @Test(
    "CUDA on a machine without a GPU is refused",
    .enabled(if: Engine.cudaDeviceCount == 0, "this machine has a GPU"))
  func cudaWhereThereIsNone() throws {
    try expectFailure(64, "use cpu or auto", ["--data", idx, "--device", "cuda"])
  }

  @Test("A folder that holds a run is never overwritten")
  func anOutputThatHoldsARun() throws {
    try folder.write(Array("{}".utf8), to: "run/result.json")
    try expectFailure(64, "already contains a run", ["--data", idx])
    #expect(try folder.bytes(of: "run/result.json") == Array("{}".utf8))
  }

  @Test("Standard input needs a length and a number of classes")
  func standardInputNeedsALength() throws {
    try runs.pack("stream.tar")
    let shard = folder.file("stream.tar")
    try expectFailure(64, "--limit", ["--data", "wds:-", "--classes", "4"], input: shard)
    try expectFailure(64, "--classes", ["--data", "wds:-", "--limit", "10"], input: shard)
  }

  @Test("A diverged training ends with advice on the learning rate")
  func divergedTraining() throws {
    try expectFailure(70, "--learning-rate", ["--data", idx, "--learning-rate", "1e30", "--method", "naive"])
  }

  @Test("Unknown options and missing values are usage errors")
  func unknownOptionAndMissingValue() throws {
    for arguments in [["train"], ["train", "--data"], ["train", "--data", idx, "--colour", "red"], ["fly"]] {
      let outcome = try onepass.run(arguments)
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("Error: "), "\(outcome.errors)")
    }
  }

  @Test("A selector that draws in an order allows no importance weights")
  func orderedDrawsHaveNoWeights() throws {
    try expectFailure(
      64, "importance weights are undefined; pass --no-importance-weights",
      ["--data", idx, "--drawing", "uniform+oldest:0.5"])
  }

  /// Each of these is rejected by a different part of the argument parser.
  @Test(
    "Arguments that cannot be parsed are usage errors",
    arguments: [
      ["train", "--data", "x", "--threads", "0"], ["train", "--data", "x", "--rank-timeout", "0"],
      ["predict", "--checkpoint", "x", "--top", "0", "x.jpg"], ["train", "--data", "x", "--limit", "many"],
      ["train", "--data", "x", "--method", "epr"], ["train", "--data", "x", "--drawing", "uniform+oldest"],
      ["train", "--data", "x", "--progress", "loud"],
      ["train", "more", "--data", "x"], ["experiment", "run"], ["trian"],
      ["--generate-completion-script", "csh"],
    ])
  func unparsableArguments(arguments: [String]) throws {
    let outcome = try onepass.run(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("Error: "))
  }

  @Test("Commands that read a run name the checkpoint that is missing")
  func noCheckpoint() throws {
    for command in [
      ["evaluate", "--checkpoint", folder.file("none"), "--data", idx],
      ["predict", "--checkpoint", folder.file("none"), "x.jpg"], ["memory", "inspect", folder.file("none")],
      ["compare", folder.file("none")],
    ] {
      let outcome = try onepass.run(command)
      #expect(outcome.status == 74 && outcome.errors.contains(folder.file("none")), "\(outcome.errors)")
    }
  }
}
