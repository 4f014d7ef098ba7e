import Foundation
import TestSupport
import TestTraits
import Testing

/// Columns, labels and missing values of Parquet files, through the program. The files are those of the reader's tests.
@Suite("Parquet files, through the program", .waitsForPrograms) struct ParquetRunTests {
  static let files = "\(FuzzTests.package)/Tests/OnePassDataTests/Fixtures/parquet-variants"
  static let options = [
    "--model", "resnet8", "--method", "naive", "--batch-size", "2", "--image-size", "8", "--threads", "1",
    "--quiet",
  ]
  let runs: RunFixture

  init() throws {
    runs = RunFixture(
      try TemporaryFolder(), data: "hf:\(Self.files)/two-images.parquet", options: Self.options)
  }

  private func data(_ name: String) -> String { "hf:\(Self.files)/\(name).parquet" }

  @Test("Columns are chosen with a notice, or named, in every command")
  func columnsAreNamed() throws {
    let columns = ["--image-column", "annotation", "--label-column", "label", "--strict"]
    let chosen = try runs.train("chosen", ["--classes", "3"])
    #expect(chosen.errors.contains("chose the image column: image, not annotation"), "\(chosen.errors)")
    try runs.train("named", columns + ["--classes", "3", "--eval-data", runs.data])
    #expect(try runs.weights("named") != runs.weights("chosen"))
    #expect(try runs.text("named/run.yaml").contains("image-column: annotation"))
    let evaluate = ["evaluate", "--checkpoint", runs.folder.file("named"), "--data", runs.data]
    let pack = ["pack", runs.data, "--output", runs.folder.file("packed.tar")]
    for command in [evaluate, pack] {
      let strict = try onepass.run(command + ["--strict"])
      #expect(strict.status == 65 && strict.errors.contains("chose the image column"), "\(strict.errors)")
      let named = try onepass.run(command + columns)
      #expect(named.status == 0 && named.errors.isEmpty, "\(named.errors)")
    }
    let unknown = try runs.attempt(nil, ["--image-column", "photo"])
    #expect(
      unknown.status == 64 && unknown.errors.contains("use one of annotation, image, label"),
      "\(unknown.errors)")
  }

  @Test("Columns of other sources cannot be named, but those of the evaluation data can")
  func columnsOfOtherSources() throws {
    let other = "synthetic:12:8:3"
    for option in ["--image-column", "--label-column"] {
      let refused = try runs.attempt(nil, [option, "image"], data: other)
      #expect(refused.status == 64 && refused.errors.contains("only Parquet files"), "\(refused.errors)")
    }
    let evaluation = ["--eval-data", data("two-images"), "--image-column", "image", "--strict"]
    try runs.train("run", evaluation, data: other)
    #expect(try runs.result("run").number("accuracy.examples") == 12)
  }

  @Test("Text labels are classes, and the evaluation data is read by their names")
  func textLabelsAreClasses() throws {
    let trained = try runs.train("run", ["--eval-data", data("reversed")], data: data("text"))
    #expect(trained.errors.contains("chose the numbers of the classes: by name"), "\(trained.errors)")
    let result = try runs.result("run")
    #expect(result.number("stream.examples") == 12 && result.number("accuracy.examples") == 12)
    let other = try runs.attempt(nil, ["--eval-data", data("other")], data: data("text"))
    #expect(other.status == 65 && other.errors.contains("class \"eel\""), "\(other.errors)")
    try runs.folder.write(Array("cow\nbee\nant\neel\n".utf8), to: "classes.txt")
    let classes = runs.folder.file("classes.txt")
    for name in ["text", "boolean", "numbers"] {
      try runs.train("\(name)-named", ["--classes", classes], data: data(name))
    }
  }

  /// The footers of the file do not state how many rows have an image and a label.
  @Test("Rows that are left out are counted once, also in a resumed run")
  func leftOutRowsAreCountedOnce() throws {
    let runs = RunFixture(runs.folder, data: data("gaps"), options: Self.options)
    let every = ["--checkpoint-every", "1"]
    let whole = try runs.train("whole", every)
    #expect(whole.errors.contains("Counted hf:"), "\(whole.errors)")
    try runs.trainUntil(step: 1, "stopped", every)
    try runs.resume("stopped", every)
    for name in ["whole", "stopped"] {
      let result = try runs.result(name)
      let stream = try #require(result["stream"] as? [String: Any])
      #expect(stream["leftOut"] as? [String: Int] == ["row without an image": 3, "row without a label": 1])
      #expect(result.number("stream.examples") == 8)
    }
    #expect(try runs.weights("stopped") == runs.weights("whole"))
  }
}
