import Foundation
import TestSupport
import TestTraits
import Testing

/// Tests of `--initialise` that need no Python.
@Suite("A run starts from the weights of --initialise", .waitsForPrograms) struct InitialiseTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  /// Images of six classes instead of four.
  var six: String { "idx:\(folder.file("six"))" }

  init() throws {
    runs = try RunFixture(StripedImages(count: 200))
    try StripedImages(count: 60, classes: 6).write(to: runs.folder, prefix: "six/train")
  }

  /// The folder of a finished run of a few steps.
  func finished(_ name: String, _ more: [String] = []) throws -> String {
    try runs.train(name, ["--method", "naive", "--limit", "48"] + more)
    return folder.file(name)
  }

  /// The tensors of a safetensors file by name, parsed independently of OnePass.
  func tensors(_ file: String) throws -> [String: [UInt8]] {
    let bytes = try folder.bytes(of: file)
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = jsonObject(Data(bytes[8..<8 + length]))
    return header.compactMapValues { entry in
      let offsets = (entry as? [String: Any])?["data_offsets"] as? [Int]
      return offsets.map { Array(bytes[8 + length + $0[0]..<8 + length + $0[1]]) }
    }
  }

  static let changesNothing = ["--learning-rate", "1e-30", "--limit", "16"]
  func isStatistic(_ name: String) -> Bool { name.contains("running_") || name.contains("num_batches") }

  @Test(
    "Every method starts from the given weights",
    arguments: [["naive"], ["replay", "--replay-steps", "1"], ["multi-epoch", "--epochs", "1"]])
  func everyMethodStartsFromInitialWeights(method: [String]) throws {
    let first = try finished("first")
    for (name, file) in [("folder", first), ("file", "\(first)/checkpoint/model.safetensors")] {
      let outcome = try runs.train(name, ["--initialise", file, "--method"] + method + Self.changesNothing)
      #expect(
        outcome.errors.contains(
          "Note: Initialised the model from \(file). The last layer for 4 classes was loaded too."
        ),
        "\(outcome.errors)")
      let (before, after) = (
        try tensors("first/checkpoint/model.safetensors"), try tensors("\(name)/checkpoint/model.safetensors")
      )
      #expect(before.count == after.count && before.count > 20)
      for (tensor, bytes) in before where !isStatistic(tensor) {
        #expect(after[tensor] == bytes, "\(tensor)")
      }
      #expect((try runs.result(name)["configuration"] as? [String: Any])?["initialise"] as? String == file)
    }
  }

  @Test("With another number of classes, the last layer is initialised from the seed")
  func aNewLastLayerComesFromTheSeed() throws {
    let first = try finished("first")
    let idle = ["--method", "naive"] + Self.changesNothing
    try runs.train("plain", idle, data: six)
    let outcome = try runs.train("six-classes", ["--initialise", first] + idle, data: six)
    #expect(
      outcome.errors.contains("The last layer for 6 classes is new, because that of the file has 4 classes."),
      "\(outcome.errors)")
    let (old, fresh, mixed) = (
      try tensors("first/checkpoint/model.safetensors"), try tensors("plain/checkpoint/model.safetensors"),
      try tensors("six-classes/checkpoint/model.safetensors")
    )
    for (tensor, bytes) in mixed where !isStatistic(tensor) {
      #expect(bytes == (tensor.hasPrefix("fc.") ? fresh : old)[tensor], "\(tensor)")
    }
  }

  /// The same number of classes with other names counts as other classes.
  @Test("Classes with other names get a new last layer")
  func classesOfOtherNamesGetANewLastLayer() throws {
    for (name, words) in [("letters", "a\nb\nc\nd\n"), ("digits", "1\n2\n3\n4\n")] {
      try folder.write(Array(words.utf8), to: "\(name).txt")
    }
    let first = try finished("first", ["--classes", folder.file("letters.txt")])
    for (name, expected) in [
      ("letters", "was loaded too"), ("digits", "for other classes"),
    ] {
      let outcome = try runs.train(
        name,
        ["--initialise", first, "--method", "naive", "--classes", folder.file("\(name).txt")]
          + Self.changesNothing)
      #expect(outcome.errors.contains(expected), "\(outcome.errors)")
    }
  }

  /// Weights that do not fit cause an error message before training, and leave no files.
  @Test("Weights that do not fit are refused before anything is trained")
  func weightsThatDoNotFitAreRefused() throws {
    let first = try finished("first")
    _ = try finished("large", ["--model", "resnet18", "--stem", "imagenet"])
    try folder.write([0x80, 2, 0x8A, 10, 1, 2, 3, 4, 5, 6], to: "old.data")
    try folder.write(Array("PK\u{3}\u{4}".utf8) + Array(repeating: 0, count: 40), to: "new.data")
    try folder.write(Array("anything".utf8), to: "weights.pth")
    try folder.write(Array("no tensors at all".utf8), to: "text.safetensors")
    try folder.write([], to: "empty/.keep")
    let before = folder.contents
    for (arguments, status, sentence) in [
      (
        ["--initialise", first, "--model", "resnet20"], 64,
        "contains weights of resnet8, and the model is resnet20; pass --model resnet8."
      ),
      (["--initialise", folder.file("large")], 64, "pass --model resnet18."),
      (
        ["--initialise", first, "--channels", "3"], 64,
        "takes images with 1 channel, and the run's images have 3; pass --channels 1."
      ),
      (
        ["--initialise", folder.file("large"), "--model", "resnet18"], 64,
        "starts with a 7 x 7 convolution, and the model with 3 x 3; pass --stem imagenet."
      ),
      (["--initialise", folder.file("old.data")], 65, "torch.load("),
      (["--initialise", folder.file("new.data")], 65, "safetensors.torch.save_file("),
      (["--initialise", folder.file("weights.pth")], 65, "\"weights.safetensors\""),
      (["--initialise", folder.file("text.safetensors")], 65, "not a valid safetensors file"),
      (["--initialise", folder.file("empty")], 74, "contains no weights"),
      (["--initialise", folder.file("nowhere.safetensors")], 74, "nowhere.safetensors: cannot be opened"),
      (
        ["--initialise", "https://example.org/a.safetensors"], 64,
        "--initialise must be a local file or folder (got https"
      ),
      (["--initialise", ""], 64, "--initialise must be a local file or folder (got an empty value)"),
    ] as [([String], Int32, String)] {
      let outcome = try runs.attempt("run", arguments)
      #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.hasPrefix("Error: ") && outcome.errors.contains(sentence), "\(outcome.errors)")
      #expect(folder.contents == before)
    }
  }

  /// The checkpoint has the weights, so the file is no longer needed.
  @Test("A run resumes without the file of its initial weights")
  func aRunResumesWithoutTheFile() throws {
    _ = try finished("first")
    let weights = folder.file("weights.safetensors")
    try folder.write(try folder.bytes(of: "first/checkpoint/model.safetensors"), to: "weights.safetensors")
    let options = ["--initialise", weights, "--replay-steps", "1"]
    try runs.train("whole", options)
    try runs.trainUntil(step: 2, "broken", options + ["--checkpoint-every", "2"], signal: SIGKILL)
    try FileManager.default.removeItem(atPath: weights)
    let other = try runs.attempt("broken", ["--replay-steps", "1", "--resume"])
    #expect(other.status == 64 && other.errors.contains("initialise"), "\(other.errors)")
    let resumed = try runs.resume("broken", options)
    #expect(resumed.errors.contains("Resuming after step"), "\(resumed.errors)")
    try runs.expectSame("broken", "whole")
  }

  /// Only rank 0 has the file; the others have no such path.
  @Test("All ranks start from the weights that rank 0 reads")
  func ranksStartFromTheWeightsOfRank0() throws {
    let first = try finished("first")
    let outcomes = try Ranks.run(
      2, of: onepass,
      runs.arguments("two", ["--method", "naive", "--initialise", first] + Self.changesNothing))
    #expect(outcomes.allSatisfy { $0.status == 0 }, "\(outcomes.map(\.errors))")
    #expect(outcomes.map { $0.errors.contains("Initialised the model from") } == [true, false])
    let (before, after) = (
      try tensors("first/checkpoint/model.safetensors"), try tensors("two/checkpoint/model.safetensors")
    )
    for (tensor, bytes) in before where !isStatistic(tensor) { #expect(after[tensor] == bytes, "\(tensor)") }
    // An error of rank 0 ends both ranks with its message.
    let failed = try Ranks.run(
      2, of: onepass,
      runs.arguments(nil, ["--method", "naive", "--initialise", folder.file("nowhere")]))
    #expect(failed.map(\.status) == [74, 74], "\(failed.map(\.errors))")
    #expect(failed[1].errors.contains("nowhere: cannot be opened"), "\(failed[1].errors)")
  }

  @Test("A grid compares initial weights")
  func aGridComparesInitialWeights() throws {
    let first = try finished("first")
    try folder.write(
      Array(
        """
        options: {data: 'idx:\(folder.path)', model: resnet8, batch-size: 16, limit: 32, threads: 1}
        seeds: 1
        cells:
          - {method: naive}
          - {method: naive, initialise: '\(first)'}
        """.utf8), to: "grid.yaml")
    let outcome = try onepass.run([
      "experiment", "run", folder.file("grid.yaml"), "--output", folder.file("grid"),
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let table = try onepass.run(["experiment", "table", folder.file("grid")])
    #expect(table.status == 0 && table.output.contains("initialise"), "\(table.output)\(table.errors)")
  }
}
