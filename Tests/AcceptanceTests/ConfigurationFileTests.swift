import Foundation
import OnePass
import OnePassCore
import OnePassData
import OnePassExperiments
import OnePassModels
import OnePassReplay
import OnePassTorch
import TestSupport
import TestTraits
import Testing

@testable import OnePassCLI

@Suite("Configuration files", .waitsForPrograms) struct ConfigurationFileTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws {
    runs = try RunFixture(StripedImages(count: 120), evaluation: StripedImages(count: 40, seed: 2))
  }

  func write(_ text: String, to name: String = "run.yaml") throws -> String {
    try folder.write(Array(text.utf8), to: name)
    return folder.file(name)
  }

  func configuration(_ name: String) throws -> NSDictionary {
    try #require(try runs.result(name)["configuration"] as? NSDictionary)
  }

  @Test("A configuration file trains the same run as the command line")
  func aFileEqualsTheCommandLine() throws {
    let options = [
      ("data", "idx:\(folder.path)"), ("eval-data", "idx:\(folder.path):test"), ("model", "resnet8"),
      ("batch-size", "16"), ("threads", "1"), ("replay-steps", "2"), ("storage", "20%"), ("quiet", "true"),
      ("importance-weights", "false"), ("checkpoint-every", "2"),
    ]
    let file = try write(
      options.map { "\($0): \"\($1)\"\n" }.joined() + "seed: 5\noutput: \(folder.file("fromFile"))\n")
    let fromFile = try onepass.run(["train", "--config", file])
    #expect(fromFile.status == 0 && fromFile.otherErrors.isEmpty, "\(fromFile.errors)")
    let arguments = options.filter { !["true", "false"].contains($0.1) }.flatMap { ["--\($0)", $1] }
    let typed = try onepass.run(
      ["train"] + arguments + ["--seed", "5", "--no-importance-weights", "--output", folder.file("typed")])
    #expect(typed.status == 0, "\(typed.errors)")
    try runs.expectSame("fromFile", "typed")
    #expect(try configuration("fromFile") == configuration("typed"))

    // The saved configuration reproduces the run to the last bit.
    let again = try onepass.run(
      ["train", "--config", folder.file("fromFile/run.yaml"), "--output", folder.file("again")])
    #expect(again.status == 0, "\(again.errors)")
    try runs.expectSame("again", "typed", ["checkpoint/model.safetensors", "run.yaml"])
    #expect(try configuration("again") == configuration("typed"))
  }

  @Test("The command line overrides the configuration file")
  func theCommandLineOverridesTheFile() throws {
    let file = try write(
      "data: idx:\(folder.path)\nmodel: resnet8\nbatch-size: 16\nthreads: 1\nseed: 5\nimportance-weights: false\n"
        + "json: true\nquiet: true\noutput: \(folder.file("run"))\nresume: true\n")
    let outcome = try onepass.run([
      "train", "--seed", "6", "--config", file, "--importance-weights", "--replay-steps=1", "--no-json",
      "--no-resume",
    ])
    #expect(outcome.status == 0 && outcome.output.hasPrefix("storage "), "\(outcome.errors)")
    let made = try configuration("run")
    #expect(made["seed"] as? Int == 6 && made["replaySteps"] as? Int == 1)
    #expect(made["importanceWeights"] as? Bool == true && made["model"] as? String == "resnet8")
    let twice = try onepass.run(["train", "--config", file, "--no-resume"])
    #expect(twice.status == 64 && twice.errors.contains("already contains a run"), "\(twice.errors)")
  }

  @Test("A configuration file never contains the query of an address")
  func noFileContainsTheQueryOfAnAddress() {
    var configuration = RunConfiguration(data: "wds:https://example.org/{0..9}.tar?signature=s3cret")
    configuration.data.evaluationSource = "wds:https://example.org/val.tar?signature=s3cret"
    #expect(configuration.fileText.contains("data: \"wds:https://example.org/{0..9}.tar?…\""))
    #expect(!configuration.fileText.contains("s3cret"))
  }

  @Test(
    "An invalid configuration file is refused with its line",
    arguments: [
      ("data: x\nmodle: resnet8", "run.yaml:2: Unknown option 'modle'. Did you mean 'model'?"),
      ("data: x\n\nreplay-steps: many", "run.yaml:3: The value 'many' is invalid for 'replay-steps <K>'"),
      ("replay-steps: -1", "run.yaml:1: --replay-steps must be between 0 and 10000 (got -1)."),
      ("method: [naive, replay]", "run.yaml:1: method must have a single plain value."),
      (
        "data: x\ndata: y", "run.yaml:1: data is set twice in the mapping that starts on this line; keep one."
      ),
      ("", "run.yaml: the configuration is empty; add options"),
      ("# only a comment\n", "run.yaml: the configuration is empty"),
      ("data", "run.yaml:1: expected options of `onepass train`"),
      ("data: [", "invalid YAML"),
      ("dry-run: true", "run.yaml:1: dry-run cannot be set here"),
      ("config: other.yaml", "run.yaml:1: config cannot be set here"),
      ("limit: false", "run.yaml:1: The value 'false' is invalid for 'limit <N>'"),
      ("output: false", "run.yaml:1: output is not a flag (got false)"),
      ("data: wds:https://example.org/a.tar?…", "the query is missing"),
      ("limt: false", "run.yaml:1: Unknown option 'limt'. Did you mean 'limit'?"),
      ("limit: true", "run.yaml:1: Missing value for 'limit <N>'"),
      (
        "resume: maybe", "run.yaml:1: The option 'resume' does not take any value, but 'maybe' was specified."
      ),
      ("resume: yes", "run.yaml:1: resume does not accept yes; write true or false."),
      ("checkpoint-every: often", "run.yaml:1: --checkpoint-every must be a number of steps"),
      ("--data: x", "run.yaml:1: \"--data\" is not an option name; write it without dashes."),
      ("help-hidden: true", "run.yaml:1: This is not an option of a run."),
      ("model: resnet8", "--data is missing; pass --data SPEC"),
      (
        "data: x\nmethod: naive\nmemory-directory: m",
        "--memory-directory has no effect with --method naive; omit it, or pass --method replay."
      ),
    ])
  func anInvalidFileIsRefusedWithItsLine(text: String, sentence: String) throws {
    let outcome = try onepass.run(["train", "--config", write(text)])
    #expect(outcome.status == 64 && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("Error: ") && outcome.errors.contains(sentence), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("A missing configuration file is named")
  func aMissingFileIsNamed() throws {
    let outcome = try onepass.run(["train", "--config", folder.file("none.yaml")])
    #expect(outcome.status == 74 && outcome.errors.contains(folder.file("none.yaml")), "\(outcome.errors)")
  }
}
