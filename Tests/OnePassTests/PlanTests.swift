import OnePassCore
import OnePassReplay
import Testing

@testable import OnePass

@Suite struct PlanTests {
  func plan(_ change: (inout RunConfiguration) -> Void) throws -> TrainingPlan {
    var configuration = RunConfiguration(data: "test")
    change(&configuration)
    return try TrainingPlan(configuration, streamExamples: 10_000, classes: 10, classNames: nil)
  }

  @Test func updatesFollowTheMethod() throws {
    // 10,000 examples in batches of 128: 79 steps, the last of 16.
    #expect(try plan { $0.method = .naive }.updates == 79)
    #expect(try plan { $0.replaySteps = 3 }.updates == 79 + 3 * 78)
    #expect(try plan { ($0.replaySteps, $0.updates) = (3, .joint) }.updates == 79)
    #expect(try plan { ($0.method, $0.epochs) = (.multiEpoch, 4) }.updates == 4 * 79)
  }

  @Test func storageBecomesACapacity() throws {
    #expect(try plan { $0.storage = .fraction(0.1) }.capacity == .examples(1_000))
    #expect(try plan { $0.storage = .fraction(0.29 * 0.1) }.capacity == .examples(290))
    #expect(try plan { $0.storage = .examples(7) }.capacity == .examples(7))
    #expect(try plan { $0.storage = .bytes(ByteCount(5_000)) }.capacity == .bytes(5_000))
    #expect(try plan { $0.method = .naive }.capacity == nil)
  }

  @Test(arguments: [StorageBudget.examples(10_001), .fraction(0.00001)])
  func impossibleStorageIsRefused(storage: StorageBudget) {
    #expect { try plan { $0.storage = storage } } throws: { ($0 as? OnePassError)?.code == .usage }
  }

  @Test func impossibleOptionsAreNamed() {
    let impossible: [(String, (inout RunConfiguration) -> Void)] = [
      ("--limit", { $0.limit = 0 }), ("--batch-size", { $0.batchSize = 0 }), ("--epochs", { $0.epochs = 0 }),
      ("--replay-steps", { $0.replaySteps = -1 }), ("--learning-rate", { $0.learningRate = 0 }),
      ("--learning-rate", { $0.learningRate = .nan }), ("--momentum", { $0.momentum = 1 }),
      ("--weight-decay", { $0.weightDecay = -1 }), ("--recency-bias", { $0.recencyBias = 0 }),
      ("--image-size", { $0.imageSize = 4 }), ("--channels", { $0.channels = 2 }),
      ("--classes", { $0.classCount = 1 }), ("--threads", { $0.threads = 0 }),
      ("--broken-limit", { $0.brokenLimit = 2 }), ("A storage", { $0.storage = .fraction(5) }),
      ("--muon-learning-rate", { $0.muonLearningRate = 0 }),
      ("--muon-weight-decay", { $0.muonWeightDecay = -1 }),
      ("--warm-up", { $0.warmUp = 1.1 }), ("--cool-down", { $0.coolDown = -0.1 }),
      (
        "--warm-up 0.5 and --cool-down 0.6",
        { ($0.schedule, $0.warmUp, $0.coolDown) = (.trapezoid, 0.5, 0.6) }
      ),
      ("--weight-average", { $0.weightAverage = 1 }), ("--label-smoothing", { $0.labelSmoothing = 1 }),
      ("--reestimate-batch-norm", { $0.reestimateBatchNorm = true }),
      ("--progressive-resolution", { $0.progressiveResolution = 0.5 }),
      ("--mixing-alpha", { $0.mixingAlpha = 0 }),
      ("--stored-predictions 1.0", { $0.storedPredictions = 1 }),
      ("--stored-predictions -0.1", { $0.storedPredictions = -0.1 }),
      (
        "--stored-predictions is for a replay memory, and --method multi-epoch",
        { ($0.storedPredictions, $0.method) = (0.3, .multiEpoch) }
      ),
      ("--mixing mixup is for images", { ($0.mixing, $0.method) = (.mixup, .naive) }),
      ("--priority-timing refreshed", { ($0.mixing, $0.priorityTiming) = (.cutmix, .refreshed) }),
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
