import Foundation
import TestSupport
import Testing

/// What a user gets for data and requests that cannot work: one sentence, a status, nothing half-written.
@Suite struct BadInputTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try StripedImages(count: 120).write(to: folder)
  }

  var idx: String { "idx:\(folder.path)" }

  /// Runs `train` with an output and checks that it fails as it should and leaves nothing.
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

  @Test func missingPath() throws {
    for data in [
      "folder:\(folder.path)/nowhere", "idx:\(folder.path)/nowhere", "list:\(folder.path)/nowhere",
      "wds:\(folder.path)/no-{0..3}.tar",
    ] {
      try expectFailure(74, "\(folder.path)/no", ["--data", data])
    }
  }

  @Test func emptyFolder() throws {
    try folder.write([], to: "empty/.keep")
    try expectFailure(65, "\(folder.path)/empty", ["--data", "folder:\(folder.path)/empty"])
    try folder.write([], to: "classes/a/.keep")
    try folder.write([], to: "classes/b/.keep")
    try expectFailure(65, "\(folder.path)/classes", ["--data", "folder:\(folder.path)/classes"])
  }

  @Test func unknownSource() throws {
    try expectFailure(64, "names no data", ["--data", "mnist"])
    try expectFailure(64, "names no data", ["--data", "ftp:somewhere"])
  }

  func pack(_ name: String) throws -> String {
    let packed = try onepass.run(["pack", idx, "--output", folder.file(name)])
    #expect(packed.status == 0, "\(packed.errors)")
    return folder.file(name)
  }

  @Test(arguments: ["cut.tar", "cut.tar.gz", "cut.tar.zst"])
  func truncatedShard(name: String) throws {
    let path = try pack(name)
    let bytes = try folder.bytes(of: name)
    try folder.write(Array(bytes.prefix(bytes.count * 2 / 3)), to: name)
    try expectFailure(65, name, ["--data", "wds:\(path)"])
  }

  @Test func corruptShard() throws {
    _ = try pack("corrupt.tar.zst")
    var bytes = try folder.bytes(of: "corrupt.tar.zst")
    for index in bytes.count / 2..<bytes.count / 2 + 64 { bytes[index] = ~bytes[index] }
    try folder.write(bytes, to: "corrupt.tar.zst")
    try expectFailure(65, "corrupt.tar.zst", ["--data", "wds:\(folder.file("corrupt.tar.zst"))"])
    try folder.write(Array("this is no tar".utf8), to: "text.tar")
    try expectFailure(65, "text.tar", ["--data", "wds:\(folder.file("text.tar"))"])
  }

  @Test func labelOutsideTheClasses() throws {
    try expectFailure(65, "there are 2 classes", ["--data", idx, "--classes", "2"])
    try expectFailure(
      64, "--stored-predictions keeps classes in 16 bits",
      ["--data", idx, "--classes", "65537", "--stored-predictions", "0.3"])
  }

  /// A class folder of PNG files, of which some are replaced by `broken`.
  func photographs(broken: [[UInt8]]) throws -> String {
    let shard = try pack("photographs.tar")
    try folder.write([], to: "unpacked/.keep")
    _ = try Program(path: "/bin/tar").run(["-xf", shard, "-C", folder.file("unpacked")])
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

  @Test func brokenImagesAreSkippedAndCounted() throws {
    let data = try photographs(broken: [Array("no image".utf8), Self.huge, []])
    let outcome = try onepass.run(["train", "--data", data, "--replay-steps", "1", "--json"] + small)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.json.number("stream.examples") == 123)
    #expect(outcome.json.number("stream.skipped") == 3)
    #expect(outcome.json.number("memory.examplesSeen") == 120)
    let text = try onepass.run(["train", "--data", data, "--method", "naive"] + small)
    #expect(text.output.contains("skipped    3 broken images of 123"), "\(text.output)")
  }

  @Test func aMostlyBrokenStreamStops() throws {
    let data = try photographs(broken: Array(repeating: Self.huge, count: 40))
    try expectFailure(65, "--broken-limit", ["--data", data])
    try expectFailure(65, "60000", ["--data", data])
  }

  @Test func impossibleStorage() throws {
    for (storage, sentence) in [
      ("0", "0 examples is not possible"), ("0%", "more than 0%"), ("101%", "at most 100%"),
      ("100B", "smaller than one image"), ("0.1%", "less than one"), ("121", "more than the whole stream"),
      ("lots", "is not an amount"),
    ] {
      try expectFailure(64, sentence, ["--data", idx, "--storage", storage])
    }
  }

  @Test func unknownModel() throws {
    try expectFailure(64, "resnet50", ["--data", idx, "--model", "resnet51"])
  }

  @Test func unknownDevice() throws {
    try expectFailure(64, "quantum", ["--data", idx, "--device", "quantum"])
  }

  @Test func cudaWhereThereIsNone() throws {
    let outcome = try onepass.run(["train", "--data", idx, "--device", "cuda", "--method", "naive"] + small)
    // On a machine with a GPU this run simply works.
    guard outcome.status != 0 else { return }
    try expectFailure(64, "use cpu or auto", ["--data", idx, "--device", "cuda"])
  }

  @Test func anOutputThatHoldsARun() throws {
    try folder.write(Array("{}".utf8), to: "run/result.json")
    try expectFailure(64, "already holds a run", ["--data", idx])
    #expect(try folder.bytes(of: "run/result.json") == Array("{}".utf8))
  }

  @Test func standardInputThatDoesNotTellItsLength() throws {
    let shard = try pack("stream.tar")
    try expectFailure(64, "--limit", ["--data", "wds:-", "--classes", "4"], input: shard)
    try expectFailure(64, "--classes", ["--data", "wds:-", "--limit", "10"], input: shard)
  }

  @Test func divergedTraining() throws {
    try expectFailure(70, "--learning-rate", ["--data", idx, "--learning-rate", "1e30", "--method", "naive"])
  }

  @Test func unknownOptionAndMissingValue() throws {
    for arguments in [["train"], ["train", "--data"], ["train", "--data", idx, "--colour", "red"], ["fly"]] {
      let outcome = try onepass.run(arguments)
      #expect(outcome.status == 64 && outcome.errors.hasPrefix("Error: "), "\(outcome.errors)")
    }
  }

  @Test func drawsByAnOrderHaveNoWeights() throws {
    try expectFailure(
      64, "no probability to weight by: give --no-importance-weights",
      ["--data", idx, "--drawing", "uniform+oldest:0.5"])
  }

  /// Each of these is refused while arguments are read, in ways of their own.
  @Test(arguments: [
    ["train", "--data", "x", "--threads", "0"], ["train", "--data", "x", "--rank-timeout", "0"],
    ["predict", "--checkpoint", "x", "--top", "0", "x.jpg"], ["train", "--data", "x", "--limit", "many"],
    ["train", "--data", "x", "--method", "epr"], ["train", "--data", "x", "--drawing", "uniform+oldest"],
    ["train", "--data", "x", "--progress", "loud"],
    ["train", "more", "--data", "x"], ["experiment", "run"], ["trian"],
    ["--generate-completion-script", "csh"],
  ])
  func argumentsThatMakeNoSense(arguments: [String]) throws {
    let outcome = try onepass.run(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("Error: "))
  }

  @Test func noCheckpoint() throws {
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
