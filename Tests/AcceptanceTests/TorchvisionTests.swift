import Foundation
import TestSupport
import TestTraits
import Testing

/// Weights are exchanged between `onepass` and torchvision, with the same results.
@Suite(
  "Weights are exchanged with torchvision unchanged", .waitsForPrograms,
  .enabled(if: Python.path != nil, "\(Python.reason)"),
  .serialized) struct TorchvisionTests
{
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws {
    let folder = try TemporaryFolder()
    runs = RunFixture(
      folder, data: "folder:\(folder.file("images"))",
      options: ["--method", "naive", "--threads", "1", "--quiet"])
    try python("images", folder.file("images"))
  }

  /// Runs a command of Tools/torchvision_weights.py.
  @discardableResult
  func python(_ arguments: String..., images: [String] = []) throws -> String {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Tools/torchvision_weights.py").standardizedFileURL.path
    let outcome = try Program(path: try #require(Python.path)).run([script] + arguments + images)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }

  /// Options of one update that changes no weight by more than 1e-20.
  static let oneIdleUpdate = ["--method", "naive", "--batch-size", "12", "--learning-rate", "1e-30"]

  var images: [String] { ["a/0.png", "b/1.png", "c/2.png"].map { folder.file("images/\($0)") } }

  /// The program's logits of each image, by class.
  func logits(_ run: String) throws -> [[Double]] {
    let outcome = try onepass.run(["predict", "--checkpoint", run, "--top", "1000", "--json"] + images)
    let predictions = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    return try #require(predictions, "\(outcome.errors)").map { prediction in
      let classes = (prediction["classes"] as? [[String: Any]] ?? []).compactMap { entry in
        entry.number("label").flatMap { label in entry.number("logit").map { (Int(label), $0) } }
      }
      return classes.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  @Test(
    "torchvision loads a checkpoint and computes the same logits", arguments: ["resnet18", "resnet50"],
    [true, false])
  func torchvisionComputesTheSameLogits(model: String, blurs: Bool) throws {
    let run = folder.file("run")
    // Some updates, so that running statistics and logits have realistic values.
    try runs.train(
      "run",
      [
        "--model", model, "--classes", "1000", "--method", "multi-epoch", "--epochs", "8", "--batch-size",
        "4",
        "--learning-rate", "1e-4", blurs ? "--blur-pool" : "--no-blur-pool",
      ])
    let ours = try logits(run)
    let text = try python(
      "logits", model + (blurs ? "+blur" : ""), "\(run)/checkpoint/model.safetensors", images: images)
    let theirs = try JSONDecoder().decode([[Double]].self, from: Data(text.utf8))
    #expect(ours.count == 3 && ours.allSatisfy { $0.count == 1_000 } && ours[0] != ours[1])
    for (ours, theirs) in zip(ours, theirs) {
      let largest = zip(ours, theirs).map { abs($0 - $1) }.max() ?? .nan
      #expect(largest < 1e-5, "\(largest)")
    }
  }

  /// One update at a negligible learning rate has the loss and the statistics of torchvision.
  @Test(
    "A run starts from weights of torchvision, and its first step is torchvision's",
    arguments: [("resnet18", ""), ("resnet50", "module.")])
  func aRunStartsFromTorchvisionsWeights(model: String, prefix: String) throws {
    let (weights, plain, run) = (
      folder.file("weights.safetensors"), folder.file("plain.safetensors"), folder.file("run")
    )
    try python("save", model, weights, prefix)
    try python("save", model, plain)
    let outcome = try runs.train(
      "run", ["--model", model, "--classes", "1000", "--initialise", weights] + Self.oneIdleUpdate)
    let way = prefix.isEmpty ? "" : " (without the prefix \(prefix) of parameter names)"
    #expect(
      outcome.errors == "Note: Initialised the model from \(weights)\(way)."
        + " The last layer for 1000 classes was loaded too.\n")
    let step = jsonObject(
      Data(
        try python("step", model, plain, folder.file("images"), "\(run)/checkpoint/model.safetensors").utf8))
    #expect(try #require(step.number("parameters")) < 1e-20)
    #expect(try #require(step.number("statistics")) < 1e-5, "\(step)")
    let loss = try #require(try runs.column("loss", of: "run").first.flatMap(Double.init))
    let difference = abs(loss - (try #require(step.number("loss"))))
    #expect(difference < 1e-5, "\(difference)")
  }

  @Test("With other classes, weights of torchvision get a new last layer")
  func otherClassesGetANewLastLayer() throws {
    let weights = folder.file("weights.safetensors")
    try python("save", "resnet18", weights)
    let outcome = try runs.train(
      "run", ["--model", "resnet18", "--initialise", weights] + Self.oneIdleUpdate)
    #expect(
      outcome.errors == "Note: Initialised the model from \(weights)."
        + " The last layer for 3 classes is new, because that of the file has 1000 classes.\n")
    let step = jsonObject(
      Data(
        try python(
          "step", "resnet18", weights, folder.file("images"),
          folder.file("run/checkpoint/model.safetensors")
        ).utf8))
    #expect(try #require(step.number("parameters")) < 1e-20, "\(step)")
  }

  /// The error message has a Python command, which must work verbatim.
  @Test("The advice for PyTorch files converts them")
  func theCommandForPyTorchFilesConvertsThem() throws {
    let interpreter = Program(path: try #require(Python.path))
    try python("save", "resnet18", folder.file("truth.safetensors"))
    for (name, options) in [("new.pth", ""), ("old.pt", ", _use_new_zipfile_serialization=False")] {
      let saved = try interpreter.run([
        "-c",
        """
        import torch, safetensors.torch as s; w = s.load_file("\(folder.file("truth.safetensors"))")
        torch.save({"state_dict": w, "epoch": 3}, "\(folder.file(name))"\(options))
        """,
      ])
      #expect(saved.status == 0, "\(saved.errors)")
      // The format is recognised by the contents, not by the name.
      let disguise = folder.file("\(name).safetensors")
      try FileManager.default.copyItem(atPath: folder.file(name), toPath: disguise)
      for file in [folder.file(name), disguise] {
        let outcome = try runs.attempt(nil, ["--model", "resnet18", "--initialise", file])
        #expect(outcome.status == 65 && outcome.errors.contains("a pickle"), "\(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines.count == 3, "\(outcome.errors)")
        let place = "import os; os.chdir(\"\(folder.path)\")"
        let converted = try interpreter.run(["-c", ([place] + lines.dropFirst()).joined(separator: "\n")])
        #expect(converted.status == 0, "\(converted.errors)")
      }
      let made = (name as NSString).deletingPathExtension + ".safetensors"
      try runs.train(
        name + ".run",
        ["--model", "resnet18", "--classes", "1000", "--initialise", folder.file(made)] + Self.oneIdleUpdate)
      let step = jsonObject(
        Data(
          try python(
            "step", "resnet18", folder.file("truth.safetensors"), folder.file("images"),
            folder.file("\(name).run/checkpoint/model.safetensors")
          ).utf8))
      #expect(try #require(step.number("parameters")) < 1e-20)
    }
  }
}
