import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch
import Testing

@testable import OnePass

@Suite("Declared options and their records") struct RunOptionTests {
  /// The keys of existing records. Renaming a key makes older records unreadable.
  static let keys: Set = [
    "data", "evaluationData", "limit", "evaluationLimit", "evaluationInterval", "classCount", "classNames",
    "subjectKey",
    "labelKey", "imageColumn", "labelColumn", "strict", "orientation", "streamShape", "driftDetector",
    "openClasses",
    "shuffleBuffer", "brokenLimit",
    "model", "stem", "imageSize",
    "channels", "initialise",
    "blurPool",
    "method", "storage", "replaySteps", "replayCourse", "priority", "smoothing", "priorityTiming",
    "importanceWeights", "recencyBias", "drawing", "evicting", "memoryEncoding", "memorySize",
    "memoryQuality", "memoryDirectory", "memoryKey", "timeToLive", "keepPictures", "updates", "incomingView",
    "incomingForm", "epochs", "progressiveResolution", "augmentation", "augmentationMagnitude",
    "augmentationGrowth", "batchSize", "learningRate", "momentum", "weightDecay", "weightDecayOn",
    "optimiser", "muonLearningRate", "muonWeightDecay", "schedule", "warmUp", "coolDown", "weightAverage",
    "reestimateBatchNorm", "labelSmoothing", "storedPredictions", "mixing", "mixingAlpha", "seed",
    "orderSeed", "record", "onGap", "brokerConfig", "messageLimit", "until",
    "device",
    "precision", "cudaGraphs", "synchronisedBatchNorm", "threads", "decodeThreads", "decodeMemory",
  ]

  @Test("Records keep their keys")
  func recordsKeepTheirKeys() {
    let declared = RunConfiguration.defaults.declaredOptions.map(\.key)
    #expect(Set(declared) == Self.keys && declared.count == Self.keys.count)
  }

  /// An option that is `nil` has no key. All other options are at the same level.
  @Test("A record is flat")
  func aRecordIsFlat() throws {
    var configuration = RunConfiguration(data: "folder:photos")
    (configuration.memory.storage, configuration.data.subjectKey) = (.fraction(0.05), .folder)
    let record = try object(configuration)
    #expect(record["data"] as? String == "folder:photos" && record["storage"] as? String == "5%")
    #expect(record["subjectKey"] as? String == "folder" && record["learningRate"] as? Double == 0.1)
    #expect(record["limit"] == nil && record.values.allSatisfy { !($0 is [String: Any]) })
  }

  /// Hu et al. 2021, sections 3 and 4.1: prioritised replay with k = 8 and 10 % storage, and ResNet-50. SGD has Nesterov momentum 0.9
  /// and mini-batches of 128, and a cosine schedule from 0.1 to 0. Multi-epoch training has 90 passes.
  @Test("The defaults are the paper's")
  func theDefaultsAreThePapers() {
    let paper = RunConfiguration.defaults
    #expect(paper.method == .replay && paper.epochs == 90 && paper.model.name == "resnet50")
    #expect(paper.replay.steps == 8 && paper.memory.storage == .fraction(0.1))
    #expect(paper.replay.course == .constant && paper.replay.priority == .loss)
    #expect(paper.replay.smoothing == .full && paper.replay.priorityTiming == .insertion)
    #expect(paper.replay.importanceWeights && paper.memory.recencyBias == 1.5)
    #expect(paper.memory.drawing == .prioritised && paper.memory.evicting == .uniform)
    #expect(paper.memory.encoding == .original && paper.memory.storedPredictions == 0)
    #expect(paper.memory.directory == nil && paper.memory.timeToLive == nil)
    #expect(paper.step.updates == .sequential && paper.step.incomingView == .augmented)
    #expect(paper.step.incomingForm == .arrived && paper.augmentation.choice == .standard)
    #expect(paper.recipe.batchSize == 128 && paper.recipe.learningRate == 0.1)
    #expect(paper.recipe.momentum == 0.9 && paper.recipe.weightDecay == 0 && paper.recipe.optimiser == .sgd)
    #expect(paper.recipe.schedule == .cosine && paper.recipe.warmUp == 0 && paper.recipe.weightAverage == 0)
    #expect(!paper.recipe.blurPool && paper.recipe.progressiveResolution == 1)
    #expect(!paper.recipe.reestimateBatchNorm && paper.recipe.labelSmoothing == 0)
    #expect(paper.recipe.mixing == .none && paper.data.shuffleBuffer == nil && paper.model.initialise == nil)
  }

  /// A record of version 0.1.0, with fewer options than today, and one that no longer exists.
  static let oldRecord = """
    {"batchSize": 64, "brokenLimit": 0.2, "data": "d", "drawAhead": 0, "device": "cpu", "drawing": "oldest",
     "epochs": 5, "evicting": "fewest-replays", "importanceWeights": false, "incomingView": "centre",
     "learningRate": 0.2, "method": "replay", "model": "resnet8", "momentum": 0.8, "priority": "uniform",
     "priorityTiming": "current", "recencyBias": 1.25, "replaySteps": 3, "seed": 7, "smoothing": "literal",
     "storage": "5%", "updates": "joint", "weightDecay": 0.1}
    """

  /// Options that were added later have the value that reproduces the older version.
  @Test("A record of an older version is read")
  func aRecordOfAnOlderProgramIsRead() throws {
    let read = try JSONDecoder().decode(RunConfiguration.self, from: Data(Self.oldRecord.utf8))
    #expect(read.recipe.batchSize == 64 && read.data.source == "d" && read.memory.storage == .fraction(0.05))
    #expect(read.memory.drawing == .oldest && read.step.updates == .joint && read.seed == 7)
    #expect(read.memory.keepPictures == 0 && read.memory.encoding == .original)
    #expect(read.memory.storedPredictions == 0 && read.replay.course == .constant)
    #expect(read.step.incomingForm == .arrived && read.augmentation.choice == .standard)
    #expect(read.augmentation.growth == 1 && read.augmentation.magnitude == nil)
    #expect(read.recipe.optimiser == .sgd && read.recipe.schedule == .cosine && !read.recipe.blurPool)
    #expect(read.recipe.weightDecayOn == .all && read.recipe.warmUp == 0 && read.recipe.coolDown == 0.2)
    #expect(read.recipe.muonLearningRate == 0.02 && read.recipe.muonWeightDecay == 0)
    #expect(read.recipe.weightAverage == 0 && !read.recipe.reestimateBatchNorm)
    #expect(read.recipe.labelSmoothing == 0 && read.recipe.mixing == .none)
    #expect(read.recipe.mixingAlpha == nil && read.recipe.progressiveResolution == 1)
    #expect(read.machine.precision == .float32 && !read.machine.cudaGraphs)
    #expect(!read.machine.synchronisedBatchNorm && read.machine.threads == nil)
    #expect(read.data.evaluationSource == nil && read.model.stem == nil)
  }

  /// Keys that every version has written are required.
  @Test("A record that lacks an option is damaged")
  func aRecordThatLacksAnOptionIsDamaged() throws {
    var record = try #require(
      JSONSerialization.jsonObject(with: Data(Self.oldRecord.utf8)) as? [String: Any])
    for key in record.keys where key != "drawAhead" {
      let value = record.removeValue(forKey: key)
      let data = try JSONSerialization.data(withJSONObject: record)
      #expect(throws: DecodingError.self, "\(key)") {
        try JSONDecoder().decode(RunConfiguration.self, from: data)
      }
      record[key] = value
    }
  }

  /// Configurations are values, although their options are stored in objects.
  @Test("A copy of a configuration is independent")
  func aCopyIsACopy() {
    let first = RunConfiguration.defaults
    var second = first
    second.recipe.learningRate = 0.5
    #expect(first.recipe.learningRate == 0.1 && first != second && first.recipe != second.recipe)
    second.recipe.learningRate = 0.1
    #expect(first == second && first.hashValue == second.hashValue)
    #expect(RunConfiguration(values: ["learningRate": 0.5]).recipe.learningRate == 0.5)
    #expect(RunConfiguration.defaults.recipe.learningRate == 0.1)
  }

  /// Runs that differ only in such options are the same run.
  @Test("Options without effect do not distinguish runs")
  func theEssenceHasWhatMatters() {
    func isSame(_ change: (inout RunConfiguration) -> Void, when: (inout RunConfiguration) -> Void) -> Bool {
      var plain = RunConfiguration(data: "d")
      when(&plain)
      var changed = plain
      change(&changed)
      return plain.essence == changed.essence
    }
    let idle: [(change: (inout RunConfiguration) -> Void, when: (inout RunConfiguration) -> Void)] = [
      ({ $0.epochs = 3 }, { $0.method = .naive }), ({ $0.replay.steps = 2 }, { $0.method = .multiEpoch }),
      ({ $0.memory.recencyBias = 2 }, { $0.method = .naive }),
      ({ $0.step.updates = .joint }, { $0.method = .naive }),
      ({ $0.recipe.muonLearningRate = 1 }, { _ in }), ({ $0.recipe.coolDown = 0.5 }, { _ in }),
      ({ $0.recipe.weightDecayOn = .filters }, { _ in }), ({ $0.recipe.mixingAlpha = 3 }, { _ in }),
      ({ $0.recipe.mixingAlpha = 0.2 }, { $0.recipe.mixing = .mixup }),
      ({ $0.augmentation.growth = 3 }, { _ in }),
      ({ $0.augmentation.magnitude = 0.3 }, { $0.augmentation.choice = .init(policy: .rand) }),
      ({ $0.replay.priorityTiming = .current }, { $0.replay.priority = .uniform }),
      ({ $0.replay.smoothing = .literal }, { $0.replay.priority = .pruning }),
      ({ ($0.machine.device, $0.machine.threads, $0.machine.decodeThreads) = ("cpu", 3, 4) }, { _ in }),
      ({ ($0.machine.cudaGraphs, $0.memory.keepPictures) = (true, 5) }, { _ in }),
      ({ $0.memory.directory = "e" }, { $0.memory.directory = "f" }),
      ({ $0.memory.directory = "e" }, { _ in }),
    ]
    for (index, (change, when)) in idle.enumerated() {
      #expect(isSame(change, when: when), "\(index)")
    }
    let working: [(change: (inout RunConfiguration) -> Void, when: (inout RunConfiguration) -> Void)] = [
      ({ $0.epochs = 3 }, { $0.method = .multiEpoch }), ({ $0.replay.steps = 2 }, { _ in }),
      ({ $0.recipe.muonLearningRate = 1 }, { $0.recipe.optimiser = .muon }),
      ({ $0.recipe.coolDown = 0.5 }, { $0.recipe.schedule = .onDemand }),
      ({ $0.recipe.weightDecayOn = .filters }, { $0.recipe.weightDecay = 0.1 }),
      ({ $0.recipe.mixingAlpha = 0.3 }, { $0.recipe.mixing = .mixup }), ({ $0.seed = 2 }, { _ in }),
      ({ $0.memory.directory = "e" }, { $0.memory.storage = .bytes(ByteCount(5_000)) }),
      ({ $0.machine.precision = .bfloat16 }, { _ in }), ({ $0.replay.smoothing = .literal }, { _ in }),
    ]
    for (index, (change, when)) in working.enumerated() {
      #expect(!isSame(change, when: when), "\(index)")
    }
  }

  @Test("A title names what differs from the paper")
  func aTitleSaysWhatIsNotThePapers() {
    func title(_ change: (inout RunConfiguration) -> Void) -> String {
      var configuration = RunConfiguration(data: "x")
      change(&configuration)
      return configuration.title
    }
    let paper = "prioritised replay, k = 8, 10% storage"
    #expect(title { _ in } == paper)
    #expect(title { ($0.memory.recencyBias, $0.memory.evicting) = (1e6, .oldest) } == paper + ", window")
    #expect(
      title { ($0.memory.recencyBias, $0.memory.evicting) = (3, .oldest) } == paper
        + ", β = 3, evicting oldest")
    #expect(title { $0.memory.recencyBias = 1e9 } == paper + ", all inserted")
    #expect(title { $0.memory.storedPredictions = 0.3 } == paper + ", 0.3 of targets from stored predictions")
    #expect(
      title { ($0.recipe.blurPool, $0.recipe.progressiveResolution) = (true, 0.5) }
        == paper + ", blur pool, images growing from 50% of the side")
    #expect(
      title {
        ($0.replay.course, $0.recipe.optimiser, $0.augmentation.choice) = (
          .rising, .muon, .init(policy: .rand)
        )
      }
        == paper + ", k rising, rand 0.3, Muon")
  }

  private func object(_ configuration: RunConfiguration) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: JSONEncoder().encode(configuration)) as? [String: Any])
  }
}
