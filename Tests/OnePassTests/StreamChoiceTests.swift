import OnePassCore
import OnePassData
import Testing

@testable import OnePass

@Suite("The model and the mini-batch size that a stream chooses") struct StreamChoiceTests {
  static func run(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
    var run = RunConfiguration(data: "d")
    change(&run)
    return run
  }

  /// Updates of replay with k = 8: steps + 8 (steps − 1). 28,416 examples make 222 steps of 128 and 1,990 updates; 28,417 make 223
  /// steps and 1,999 updates; 28,545 make 224 steps and 2,008 updates.
  @Test("The mini-batch is as large as enough updates allow")
  func theMiniBatchAllowsEnoughUpdates() {
    for (examples, size) in [
      (60_000, 128), (28_545, 128), (28_544, 64), (14_273, 64), (14_272, 32), (7_137, 32), (7_136, 16),
      (180, 16),
      (2, 16),
    ] {
      #expect(StreamChoice.batchSize(Self.run(), streamExamples: examples) == size, "\(examples)")
    }
    let naive = Self.run { $0.method = .naive }
    #expect(StreamChoice.batchSize(naive, streamExamples: 256_000) == 128)
    #expect(StreamChoice.batchSize(naive, streamExamples: 60_000) == 16)
    let passes = Self.run { ($0.method, $0.epochs) = (.multiEpoch, 90) }
    #expect(StreamChoice.batchSize(passes, streamExamples: 2_944) == 128)
  }

  @Test("Small images get a small model, and few photographs one in between")
  func theModelSuitsTheImages() {
    func model(_ examples: Int, _ side: Int, _ change: (inout RunConfiguration) -> Void = { _ in }) -> String
    {
      StreamChoice.model(Self.run(change), streamExamples: examples, side: side)
    }
    #expect(model(180, 28) == "resnet8" && model(9_999, 64) == "resnet8")
    #expect(model(10_000, 28) == "resnet20" && model(1_000_000, 64) == "resnet20")
    #expect(model(180, 65) == "resnet18" && model(49_999, 224) == "resnet18")
    #expect(model(50_000, 224) == "resnet50" && model(180, 28) { $0.model.stem = .imageNet } == "resnet18")
  }

  @Test("A stream chooses only where neither option is set and no weights are loaded")
  func explicitOptionsWin() {
    #expect(Self.run().isChosenByStream)
    #expect(!Self.run { $0.model.name = "resnet50" }.isChosenByStream)
    #expect(!Self.run { $0.recipe.batchSize = 128 }.isChosenByStream)
    #expect(!Self.run { $0.model.initialise = "weights.safetensors" }.isChosenByStream)
    #expect(!Self.run().asRecord.isChosenByStream)
  }

  @Test("A resumed run has the choice of its record, and differs from it in other options only")
  func aRecordKeepsItsChoice() {
    let record = Self.run { ($0.model.name, $0.recipe.batchSize, $0.replay.steps) = ("resnet8", 32, 3) }
      .asRecord
    let request = Self.run { $0.replay.steps = 3 }
    #expect(request.difference(fromRecord: record) == nil)
    let (adopted, choice) = request.adoptingChoice(of: record)
    #expect(adopted.model.name == "resnet8" && adopted.recipe.batchSize == 32)
    #expect(choice == StreamChoice(model: "resnet8", batchSize: 32))
    #expect(Self.run().difference(fromRecord: record) == "replay-steps 3, not 8")
    let explicit = Self.run { ($0.model.name, $0.replay.steps) = ("resnet50", 3) }
    #expect(explicit.difference(fromRecord: record) == "model resnet8, not resnet50")
    #expect(explicit.adoptingChoice(of: record).choice == nil)
  }

  @Test("The choice is a notice and a part of the record")
  func theChoiceIsReported() {
    let choice = StreamChoice(model: "resnet20", batchSize: 16)
    #expect(
      choice.notice(streamExamples: 1_800, side: 24)
        == "Chose --model resnet20 --batch-size 16 for a stream of 1,800 examples of 24 x 24 pixels; "
        + "pass either option to set both yourself.")
    #expect(choice.choices.map(\.what) == ["the model", "the mini-batch size"])
    #expect(choice.choices.map(\.taken) == ["resnet20", "16"])
  }

  @Test(
    "A run of few updates gets a notice with what helps most",
    arguments: [
      (
        500, run(),
        "The run will make only 28 updates; --batch-size 16 makes 280, which helps most for its compute."
      ),
      (
        180, run { $0.recipe.batchSize = 16 },
        "The run will make only 100 updates; a larger --replay-steps (now 8) makes more."
      ),
      (
        180, run { ($0.recipe.batchSize, $0.step.updates) = (16, .joint) },
        "The run will make only 12 updates; --updates sequential makes more."
      ),
      (
        180, run { ($0.recipe.batchSize, $0.method) = (16, .naive) },
        "The run will make only 12 updates; --method replay makes more from the same images."
      ),
      (
        180, run { ($0.recipe.batchSize, $0.method, $0.epochs) = (16, .multiEpoch, 2) },
        "The run will make only 24 updates; a larger --epochs (now 2) makes more."
      ),
      (
        16, run { ($0.recipe.batchSize, $0.replay.steps) = (16, 0) },
        "The run will make only 1 update; a larger --replay-steps (now 0) makes more."
      ),
      (4_480, run(), nil), (500, run { $0.model.initialise = "weights.safetensors" }, nil),
    ])
  func fewUpdatesAreNoticed(examples: Int, run: RunConfiguration, notice: String?) throws {
    let plan = try TrainingPlan(run, streamExamples: examples, classes: 2, classNames: nil)
    #expect(plan.noticeOfFewUpdates(run) == notice)
  }
}
