import OnePassCore
import OnePassReplay
import Testing

@testable import OnePass

@Suite("The plan of a run") struct PlanTests {
  func plan(_ change: (inout RunConfiguration) -> Void) throws -> TrainingPlan {
    var configuration = RunConfiguration(data: "test")
    change(&configuration)
    return try TrainingPlan(configuration, streamExamples: 10_000, classes: 10, classNames: nil)
  }

  @Test("The number of updates follows from the method")
  func updatesFollowTheMethod() throws {
    // 10,000 examples in batches of 128: 79 steps, the last of 16.
    #expect(try plan { $0.method = .naive }.updates == 79)
    #expect(try plan { $0.replay.steps = 3 }.updates == 79 + 3 * 78)
    #expect(try plan { ($0.replay.steps, $0.step.updates) = (3, .joint) }.updates == 79)
    #expect(try plan { ($0.method, $0.epochs) = (.multiEpoch, 4) }.updates == 4 * 79)
  }

  @Test("A storage budget becomes a capacity")
  func storageBecomesACapacity() throws {
    #expect(try plan { $0.memory.storage = .fraction(0.1) }.capacity == .examples(1_000))
    #expect(try plan { $0.memory.storage = .fraction(0.29 * 0.1) }.capacity == .examples(290))
    #expect(try plan { $0.memory.storage = .examples(7) }.capacity == .examples(7))
    #expect(try plan { $0.memory.storage = .bytes(ByteCount(5_000)) }.capacity == .bytes(5_000))
    #expect(try plan { $0.method = .naive }.capacity == nil)
  }

  @Test(
    "An impossible storage budget is refused",
    arguments: [StorageBudget.examples(10_001), .fraction(0.00001)])
  func impossibleStorageIsRefused(storage: StorageBudget) {
    #expect { try plan { $0.memory.storage = storage } } throws: { ($0 as? OnePassError)?.code == .usage }
  }

  @Test("An impossible option is named")
  func impossibleOptionsAreNamed() {
    let impossible: [(String, (inout RunConfiguration) -> Void)] = [
      ("--limit", { $0.data.limit = 0 }), ("--batch-size", { $0.recipe.batchSize = 0 }),
      ("--epochs", { $0.epochs = 0 }),
      ("--replay-steps", { $0.replay.steps = -1 }), ("--learning-rate", { $0.recipe.learningRate = 0 }),
      ("--learning-rate", { $0.recipe.learningRate = .nan }), ("--momentum", { $0.recipe.momentum = 1 }),
      ("--weight-decay", { $0.recipe.weightDecay = -1 }), ("--recency-bias", { $0.memory.recencyBias = 0 }),
      ("--image-size", { $0.model.imageSize = 4 }), ("--channels", { $0.model.channels = 2 }),
      ("--classes", { $0.data.classCount = 1 }), ("--threads", { $0.machine.threads = 0 }),
      ("--broken-limit", { $0.data.brokenLimit = 2 }), ("--storage", { $0.memory.storage = .fraction(5) }),
      ("--muon-learning-rate", { $0.recipe.muonLearningRate = 0 }),
      ("--muon-weight-decay", { $0.recipe.muonWeightDecay = -1 }),
      ("--warm-up", { $0.recipe.warmUp = 1.1 }), ("--cool-down", { $0.recipe.coolDown = -0.1 }),
      (
        "--warm-up 0.5 and --cool-down 0.6",
        { ($0.recipe.schedule, $0.recipe.warmUp, $0.recipe.coolDown) = (.trapezoid, 0.5, 0.6) }
      ),
      ("--weight-average", { $0.recipe.weightAverage = 1 }),
      ("--label-smoothing", { $0.recipe.labelSmoothing = 1 }),
      ("--reestimate-batch-norm must be false", { $0.recipe.reestimateBatchNorm = true }),
      ("--progressive-resolution must be 1", { $0.recipe.progressiveResolution = 0.5 }),
      ("--mixing-alpha", { $0.recipe.mixingAlpha = 0 }),
      (
        "--stored-predictions must be at least 0 and less than 1 (got 1)", { $0.memory.storedPredictions = 1 }
      ),
      (
        "--stored-predictions must be at least 0 and less than 1 (got -0.1)",
        { $0.memory.storedPredictions = -0.1 }
      ),
      (
        "--stored-predictions has no effect with --method multi-epoch",
        { ($0.memory.storedPredictions, $0.method) = (0.3, .multiEpoch) }
      ),
      (
        "--mixing has no effect with --method naive, which trains each image once;",
        { ($0.recipe.mixing, $0.method) = (.mixup, .naive) }
      ),
      (
        "--priority-timing refreshed",
        { ($0.recipe.mixing, $0.replay.priorityTiming) = (.cutmix, .refreshed) }
      ),
    ]
    for (option, change) in impossible {
      var configuration = RunConfiguration(data: "test")
      change(&configuration)
      #expect {
        try configuration.validate()
      } throws: { error in
        (error as? OnePassError)?.code == .usage && "\(error)".hasPrefix(option)
      }
    }
  }
}
