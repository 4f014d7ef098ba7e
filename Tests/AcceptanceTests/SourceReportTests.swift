import Foundation
import TestSupport
import TestTraits
import Testing

/// What a source leaves out or chooses is shown, is in the result, and is an error with `--strict`.
@Suite("Reports of what data leaves out", .waitsForPrograms) struct SourceReportTests {
  /// 200 images as shards with further entries.
  let runs: RunFixture
  let texts: Int
  let hidden: Int

  static let options = ["--model", "resnet8", "--batch-size", "16", "--threads", "1", "--replay-steps", "1"]

  init() throws {
    let images = try RunFixture(StripedImages(count: 200))
    let folder = images.folder
    try images.pack("plain.tar")
    let shard = withOtherEntries(shard: try folder.bytes(of: "plain.tar"))
    (texts, hidden) = (shard.texts, shard.hidden)
    try folder.write(shard.bytes, to: "a.tar")
    try folder.write(Array("png".utf8), to: "classes/one/a.webq")
    runs = RunFixture(folder, data: "wds:\(folder.file("a.tar"))", options: Self.options)
  }

  private var counts: [String: Int] { ["not an image (.txt)": texts, "hidden file": hidden] }

  private func leftOut(_ result: [String: Any], _ part: String = "stream") -> [String: Int]? {
    (result[part] as? [String: Any])?["leftOut"] as? [String: Int]
  }

  @Test("A run reports each reason with an example, at the end the totals, and records them")
  func aRunReports() throws {
    let outcome = try runs.train("run", ["--eval-data", runs.data])
    #expect(outcome.errors.contains("for example note-6.txt"), "\(outcome.errors)")
    #expect(outcome.errors.contains("for example ._49.png"), "\(outcome.errors)")
    #expect(outcome.errors.contains("left out \(texts + hidden) entries"), "\(outcome.errors)")
    let result = try runs.result("run")
    #expect(leftOut(result) == counts && leftOut(result, "accuracy") == counts)
    #expect(result.number("stream.examples") == 200)
    let plain = try runs.train("plain", data: "wds:\(runs.folder.file("plain.tar"))")
    #expect(!plain.errors.contains("left out"), "\(plain.errors)")
    #expect(leftOut(try runs.result("plain")) == [:])
    try runs.expectSame("run", "plain")
  }

  @Test("With --strict, an entry that is left out is an error in every command")
  func strictRunsFail() throws {
    for more in [
      [], ["--dry-run"], ["--shuffle-buffer", "50"], ["--method", "multi-epoch", "--epochs", "1"],
    ] {
      let outcome = try runs.attempt(nil, ["--strict"] + more)
      #expect(outcome.status == 65 && outcome.errors.contains("--strict: wds:"), "\(more): \(outcome.errors)")
    }
    let plain = "wds:\(runs.folder.file("plain.tar"))"
    try runs.train("strict", ["--strict"], data: plain)
    let evaluated = try runs.attempt(nil, ["--strict", "--eval-data", runs.data], data: plain)
    #expect(evaluated.status == 65 && evaluated.errors.contains("--strict: wds:"), "\(evaluated.errors)")
    let model = ["evaluate", "--checkpoint", runs.folder.file("strict"), "--data", runs.data]
    let evaluation = try onepass.run(model + ["--strict"])
    #expect(evaluation.status == 65 && evaluation.errors.contains("--strict: wds:"), "\(evaluation.errors)")
    let pack = ["pack", runs.data, "--output", runs.folder.file("packed.tar")]
    let packing = try onepass.run(pack + ["--strict"])
    #expect(packing.status == 65 && packing.errors.contains("--strict: wds:"), "\(packing.errors)")
    #expect(!runs.folder.exists("packed.tar") && !runs.folder.exists("packed.json"))
    for arguments in [model, pack] {
      let outcome = try onepass.run(arguments)
      #expect(
        outcome.status == 0 && outcome.errors.contains("left out \(texts + hidden)"), "\(outcome.errors)")
    }
  }

  @Test("A folder is reported at the start, also by a dry run")
  func foldersAreReported() throws {
    let image = try firstImage()
    for name in ["cat/1.png", "cat/2.png", "dog/3.png"] { try runs.folder.write(image, to: "f/\(name)") }
    for name in ["dog/3.qoi", "dog/4.qoi"] { try runs.folder.write([1], to: "f/\(name)") }
    let data = "folder:\(runs.folder.file("f"))"
    for more in [["--method", "naive", "--dry-run"], ["--method", "naive"]] {
      let outcome = try runs.train(more.last == "--dry-run" ? nil : "folder", more, data: data)
      let notices = outcome.errors.components(separatedBy: "left out 2 entries: not an image (.qoi): 2")
      #expect(notices.count == 2, "\(outcome.errors)")
    }
    #expect(leftOut(try runs.result("folder")) == ["not an image (.qoi)": 2])
    let strict = try runs.attempt(nil, ["--strict", "--method", "naive"], data: data)
    #expect(strict.status == 65 && strict.errors.contains("3.qoi"), "\(strict.errors)")
  }

  /// The first image of the packed shard.
  private func firstImage() throws -> [UInt8] {
    let shard = try runs.folder.bytes(of: "plain.tar")
    let size = Int(String(decoding: shard[124..<135], as: UTF8.self), radix: 8) ?? 0
    return Array(shard[512..<(512 + size)])
  }

  /// A batch is read ahead of the training, and a buffer further: neither may be counted twice or be lost.
  @Test(
    "A resumed run ends with the counts of an uninterrupted one",
    arguments: [[], ["--shuffle-buffer", "40"], ["--method", "naive"]])
  func resumedRunsHaveTheSameCounts(more: [String]) throws {
    let every = ["--checkpoint-every", "1"]
    for step in [1, 5] {
      let name = "run-\(step)"
      try runs.trainUntil(step: step, name, more + every)
      try runs.resume(name, more + every)
      #expect(leftOut(try runs.result(name)) == counts, "\(more) after step \(step)")
    }
  }

  @Test("The first image for evaluation is decoded before the training")
  func evaluationImagesAreDecodedFirst() throws {
    try runs.folder.write([1, 2, 3], to: "broken/0/1.png")
    try runs.folder.write([1, 2, 3], to: "broken/1/2.png")
    try runs.folder.write(Array("broken/0/1.png 0\nbroken/1/2.png 1\n".utf8), to: "broken.txt")
    for data in ["folder:\(runs.folder.file("broken"))", "list:\(runs.folder.file("broken.txt"))"] {
      let outcome = try runs.attempt(
        "broken-run", ["--eval-data", data, "--classes", "4", "--progress", "json"])
      #expect(outcome.status == 65 && !outcome.errors.contains("\"step\""), "\(outcome.errors)")
      #expect(!runs.folder.exists("broken-run"))
    }
  }

  /// Labels of a stream that is read in order, which only a survey can number.
  @Test("A resumed run finds the classes of sparse labels again")
  func sparseLabelsAreFoundAgain() throws {
    var shard = try runs.folder.bytes(of: "plain.tar")
    // The labels 0 to 3 become 0, 90001, 90002, 90003.
    var (place, result): (Int, [UInt8]) = (0, [])
    while place + 512 <= shard.count, shard[place] != 0 {
      let size = Int(String(decoding: shard[(place + 124)..<(place + 135)], as: UTF8.self), radix: 8) ?? 0
      let end = place + 512 + (size + 511) / 512 * 512
      if size == 1, shard[place + 512] != UInt8(ascii: "0") {
        shard.replaceSubrange((place + 512)..<(place + 517), with: Array("9000".utf8) + [shard[place + 512]])
        shard[place + 134] = UInt8(ascii: "5")
        // The size has grown by four, and the checksum with it.
        let sum = Int(String(decoding: shard[(place + 148)..<(place + 154)], as: UTF8.self), radix: 8)! + 4
        let digits = String(sum, radix: 8)
        shard.replaceSubrange(
          (place + 148)..<(place + 154),
          with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8))
      }
      result += shard[place..<end]
      place = end
    }
    try runs.folder.write(result + shard[place...], to: "sparse.tar")
    let data = "wds:\(runs.folder.file("sparse.tar"))"
    let whole = RunFixture(runs.folder, data: data, options: Self.options)
    let outcome = try whole.train("sparse")
    #expect(outcome.errors.contains("chose the meaning of the numeric labels"), "\(outcome.errors)")
    let card = try jsonObject(Data(runs.folder.bytes(of: "sparse/checkpoint/model.json")))
    #expect(card["classes"] as? Int == 4)
    try whole.trainUntil(step: 4, "again", ["--checkpoint-every", "1"])
    try whole.resume("again", ["--checkpoint-every", "1"])
    try whole.expectSame("sparse", "again")
    let choices = (try whole.result("again")["stream"] as? [String: Any])?["choices"] as? [[String: Any]]
    #expect(choices?.count == 1)
  }
}
