import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassData

@Suite("evaluate: accuracy by class, confusions and the worst errors", .waitsForPrograms) struct EvaluateTests
{
  let runs: PhotoRuns
  var folder: TemporaryFolder { runs.folder }

  init() throws { runs = try PhotoRuns.trained() }

  func evaluate(_ more: [String], data: String? = nil) throws -> Program.Outcome {
    try onepass.run(
      ["evaluate", "--checkpoint", runs.model, "--data", data ?? "folder:\(runs.test)", "--threads", "1"]
        + more)
  }

  /// The same counts by another route: a prediction for each file, whose folder is its class.
  func predictedPairs() throws -> [String: Int] {
    let outcome = try onepass.run(
      ["predict", "--checkpoint", runs.model, "--top", "1", "--format", "json-lines", runs.test])
    #expect(outcome.status == 0, "\(outcome.errors)")
    var pairs: [String: Int] = [:]
    for line in outcome.output.split(separator: "\n") {
      let record = jsonObject(Data(line.utf8))
      let path = try #require(record["name"] as? String)
      let best = try #require((record["predictions"] as? [[String: Any]])?.first)
      let name = URL(fileURLWithPath: path).deletingLastPathComponent().lastPathComponent
      let label = try #require(PhotoRuns.classes.firstIndex(of: name))
      pairs["\(label) \(Int(best.number("class") ?? -1))", default: 0] += 1
    }
    return pairs
  }

  @Test("Counts by class and pair equal those of the predictions of each file")
  func countsAreThoseOfPredictions() throws {
    let outcome = try evaluate(["--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let pairs = try predictedPairs()
    let confusion = try #require(outcome.json["confusion"] as? [[String: Any]])
    let found = confusion.map {
      ("\(Int($0.number("label") ?? -1)) \(Int($0.number("predicted") ?? -1))", Int($0.number("count") ?? 0))
    }
    #expect(Dictionary(uniqueKeysWithValues: found) == pairs)
    let correct = (0..<3).map { pairs["\($0) \($0)"] ?? 0 }
    #expect(outcome.json.number("top1") == Double(correct.reduce(0, +)) / 40)
    #expect(pairs.count > 2, "The model makes no errors, or always the same: \(pairs)")
    let classes = try #require(outcome.json["classes"] as? [[String: Any]])
    #expect(classes.map { $0["name"] as? String } == PhotoRuns.classes)
    #expect(classes.map { $0.number("examples") } == [10, 0, 30])
    #expect(classes.map { $0.number("correct") } == correct.map(Double.init))
    #expect(classes.map { $0.number("top1") } == [Double(correct[0]) / 10, nil, Double(correct[2]) / 30])
    #expect(outcome.json["errors"] as? [[String: Any]] != nil && outcome.json.number("examples") == 40)
    #expect(outcome.json["source"] as? String == "folder:\(runs.test)")
    #expect(try evaluate(["--format", "json"]).output == outcome.output)
  }

  @Test("The text lists classes and the most frequent confusions, csv the classes")
  func textAndCSV() throws {
    let text = try evaluate([]).output
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    try #require(lines.count > 8, "\(text)")
    #expect(lines[0].hasPrefix("top-1   ") && lines[1].contains("nats over 40 examples"))
    #expect(lines[3].split(separator: " ") == ["class", "examples", "top-1"], "\(text)")
    #expect(lines[5].hasPrefix("bee, \"queen\"") && lines[5].hasSuffix("-"), "\(text)")
    #expect(text.contains(" → ") && text.contains(" of 30"), "\(text)")
    let csv = try evaluate(["--format", "csv"]).output.split(separator: "\n")
    try #require(csv.count == 4)
    #expect(csv[0] == "class,name,examples,correct,top1,correct_top5,top5,loss")
    #expect(csv[2] == "1,\"bee, \"\"queen\"\"\",0,0,,,,")
  }

  @Test("The output folder has tables and a page with the worst errors")
  func outputFolder() throws {
    let output = folder.file("evaluations/first")
    let outcome = try evaluate(["--output", output, "--errors", "3", "--json"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: output).sorted() == [
        "classes.csv", "confusion.csv", "errors.html", "evaluation.json",
      ])
    let record = try folder.bytes(of: "evaluations/first/evaluation.json")
    #expect(String(decoding: record, as: UTF8.self) == outcome.output)
    let csv = try evaluate(["--format", "csv"]).output
    #expect(try folder.bytes(of: "evaluations/first/classes.csv") == Array(csv.utf8))
    // The matrix: rows are true classes.
    let pairs = try predictedPairs()
    let names = ["ant", "\"bee, \"\"queen\"\"\"", "cat"]
    let rows = (0..<3).map { label in
      ([names[label]] + (0..<3).map { "\(pairs["\(label) \($0)"] ?? 0)" }).joined(separator: ",")
    }
    #expect(
      String(decoding: try folder.bytes(of: "evaluations/first/confusion.csv"), as: UTF8.self)
        == (["true class,ant,\"bee, \"\"queen\"\"\",cat"] + rows + [""]).joined(separator: "\n"))
    let page = try InspectTests.Page(folder.bytes(of: "evaluations/first/errors.html"))
    let errors = try #require(outcome.json["errors"] as? [[String: Any]])
    #expect(errors.count == 3 && page.pictures.count == 3)
    for (error, description) in zip(errors, page.descriptions) {
      let label = Int(error.number("label") ?? -1)
      let location = try #require(error["location"] as? String)
      #expect(location.contains("/test/\(PhotoRuns.classes[label])/"), "\(location)")
      #expect(
        description == "Example \(Int(error.number("position") ?? -1)), labelled \(PhotoRuns.classes[label])")
      #expect(page.text.contains(URL(fileURLWithPath: location).lastPathComponent))
    }
    let losses = errors.compactMap { $0.number("loss") }
    #expect(losses == losses.sorted(by: >) && losses.count == 3)
    #expect(page.text.contains("prefers-color-scheme:dark") && page.text.contains("name=\"viewport\""))
  }

  @Test("An output folder that is not empty, and impossible options, are refused before the evaluation")
  func refusals() throws {
    try folder.write([1], to: "full/file")
    for (more, message) in [
      (["--output", folder.file("full")], "is not empty; choose another folder, or remove it."),
      (["--output", runs.model], "already contains a run"),
      (["--output", folder.file("full/file")], "is a file; pass a folder."),
      (["--errors", "3"], "--errors requires --output."),
      (
        ["--output", folder.file("new"), "--errors", "1001"],
        "--errors must be between 0 and 1000 (got 1001)."
      ),
    ] {
      let outcome = try evaluate(more)
      #expect(outcome.status == 64 && outcome.errors.contains(message), "\(more): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    let failed = try evaluate(["--output", folder.file("new")], data: "folder:\(folder.file("none"))")
    #expect(failed.status == 74 && !folder.exists("new"), "\(failed.errors)")
    #expect(!folder.contents.contains { $0.contains(".partial") }, "\(folder.contents)")
  }

  @Test("Broken images and files that the source leaves out are counted")
  func leftOutIsCounted() throws {
    let folder = try TemporaryFolder()
    for index in 0..<30 { try folder.write(PhotoRuns.file(3 * index), to: "ant/\(index).png") }
    try folder.write([0x89, 0x50], to: "ant/broken.png")
    try folder.write([1], to: "ant/note.txt")
    let outcome = try evaluate(
      ["--json", "--output", folder.file("out")], data: "folder:\(folder.path)")
    // `out` does not exist while the data is listed.
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.json.number("skipped") == 1 && outcome.json.number("examples") == 30)
    #expect(outcome.json["leftOut"] as? [String: Int] == ["not an image (.txt)": 1])
    let page = String(decoding: try folder.bytes(of: "out/errors.html"), as: UTF8.self)
    #expect(page.contains("1 broken image, 1 left out by the source"))
  }

  /// As in ImageNetV2, whose folders are called by the numbers of the classes. There is none of classes 0 and 1.
  @Test("Folders that are called by numbers have these labels, in evaluation and in training")
  func numericFolders() throws {
    let folder = try TemporaryFolder()
    let images = StripedImages(count: 240, classes: 12)
    try images.write(to: folder)
    for index in 0..<60 where images.label(index) >= 2 {
      let pixels = images.pixels(index)
      try folder.write(
        encodePNG(pixels, width: 12, height: 12, channels: 1), to: "v2/\(images.label(index))/\(index).png")
    }
    let data = "folder:\(folder.file("v2"))"
    let run = RunFixture(folder, data: "idx:\(folder.path)")
    let trained = try run.train(
      "run", ["--eval-data", data, "--method", "multi-epoch", "--epochs", "3", "--json", "--channels", "1"])
    let notice = "\(data): chose the labels: the numbers that name the classes, not their order."
    #expect(trained.errors.contains(notice), "\(trained.errors)")
    let outcome = try onepass.run(["evaluate", "--checkpoint", folder.file("run"), "--data", data, "--json"])
    #expect(outcome.status == 0 && outcome.errors.contains(notice), "\(outcome.errors)")
    #expect(outcome.json.number("top1") == trained.json.number("accuracy.top1"))
    let classes = try #require(outcome.json["classes"] as? [[String: Any]])
    let counts = (0..<12).map { label in
      Double((0..<60).count { images.label($0) == label && label >= 2 })
    }
    #expect(classes.map { $0.number("examples") } == counts && classes.allSatisfy { $0["name"] == nil })
    #expect(classes.allSatisfy { $0.number("correctTop5") != nil } && outcome.json.number("top5") != nil)
    let strict = try onepass.run(["evaluate", "--checkpoint", folder.file("run"), "--data", data, "--strict"])
    #expect(strict.status == 65 && strict.errors.contains("--strict: "), "\(strict.errors)")
  }
}
