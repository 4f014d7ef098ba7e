import ArgumentParser
import OnePass
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

extension OnePass.Method: ExpressibleByArgument {}
extension PriorityKind: ExpressibleByArgument {}
extension SelectorKind: ExpressibleByArgument {}
extension ReplayCourse: ExpressibleByArgument {}
extension SmoothingSchedule: ExpressibleByArgument {}
extension UpdateMode: ExpressibleByArgument {}
extension PriorityTiming: ExpressibleByArgument {}
extension IncomingView: ExpressibleByArgument {}
extension MessageForm: ExpressibleByArgument {}
extension GapPolicy: ExpressibleByArgument {}
extension OrientationChoice: ExpressibleByArgument {}
extension IncomingForm: ExpressibleByArgument {}
extension MemoryEncoding: ExpressibleByArgument {}
extension OptimiserKind: ExpressibleByArgument {}
extension WeightDecayScope: ExpressibleByArgument {}
extension Mixing: ExpressibleByArgument {}
extension LearningRateSchedule.Shape: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

extension Stem: ExpressibleByArgument {
  public init?(argument: String) { self.init(rawValue: argument == "imagenet" ? "imageNet" : argument) }
  public static var allValueStrings: [String] { ["imagenet", "small"] }
}

extension CompletionKind {
  /// The kinds of sources, with which a specification starts.
  static var specification: CompletionKind {
    words(
      SourceRegistry.kinds.filter(\.isListed).map { $0.name == "fashion-mnist" ? $0.name : "\($0.name):" })
  }

  /// Words with colons, which are escaped for zsh: it parses the text after a colon as a description.
  static func words(_ words: [String]) -> CompletionKind {
    .list(words.map { CompletionShell.requesting == .zsh ? $0.replacing(":", with: "\\:") : $0 })
  }
}

struct DataOptions: ParsableArguments {
  @Option(ifGiven: declared.data.$source, isShown: true, completion: .specification) var data
  @Option(declared.data.$evaluationSource, isShown: true, completion: .specification) var evaluationData
  @Option(declared.data.$limit, isShown: true) var limit
  @Option(declared.data.$evaluationLimit) var evaluationLimit
  @Option(declared.data.$evaluationInterval, isShown: true) var evaluationInterval
  @Option(declared.data.$drift, completion: .words(["adwin", "page-hinkley", "kswin"])) var driftDetector
  @Option(text: declared.data.$classCount, completion: .file()) var classes
  @Option(declared.data.$subjectKey, completion: .words(["folder", "stem", "json:"])) var subjectKey
  @Option(declared.data.$labelKey, isShown: true, completion: .words(["cls", "folder", "json:"])) var labelKey
  @Option(declared.data.$imageColumn) var imageColumn
  @Option(declared.data.$labelColumn) var labelColumn
  @Flag(ifGiven: declared.data.$strict, isShown: true) var strict
  @Option(declared.data.$orientation) var orientation
  @Option(
    declared.data.$shape,
    completion: .words([
      "shuffled", "by-class:", "blurred:", "long-tailed:", "bursts:", "recurring:", "label-noise:",
    ])) var streamShape
  @Option(declared.data.$shuffleBuffer) var shuffleBuffer
  @Option(ifGiven: declared.data.$brokenLimit) var brokenLimit
}

struct LiveStreamOptions: ParsableArguments {
  @Option(ifGiven: declared.live.$record) var record
  @Option(ifGiven: declared.live.$onGap) var onGap
  @Option(declared.live.$brokerConfig, completion: .file()) var brokerConfig
  @Option(declared.live.$messageLimit) var messageLimit
  @Option(declared.live.$until) var until
}

struct ModelOptions: ParsableArguments {
  @Option(ifGiven: declared.model.$name, isShown: true, completion: .list(ModelRegistry.names)) var model
  @Option(declared.model.$stem) var stem
  @Option(declared.model.$imageSize) var imageSize
  @Option(declared.model.$channels) var channels
  @Option(declared.model.$initialise, completion: .file()) var initialise
}

struct MethodOptions: ParsableArguments {
  @Option(ifGiven: declared.$method, isShown: true) var method
  @Option(ifGiven: declared.memory.$storage, isShown: true) var storage
  @Option(ifGiven: declared.replay.$steps, isShown: true) var replaySteps
  @Option(ifGiven: declared.$epochs, isShown: true) var epochs
  @Option(ifGiven: declared.replay.$course) var replayCourse
  @Option(ifGiven: declared.replay.$priority) var priority
  @Option(ifGiven: declared.replay.$smoothing) var smoothing
  @Option(ifGiven: declared.replay.$priorityTiming) var priorityTiming
  @Flag(ifGiven: declared.replay.$importanceWeights) var importanceWeights
  @Option(ifGiven: declared.memory.$recencyBias) var recencyBias
  @Option(ifGiven: declared.memory.$drawing) var drawing
  @Option(ifGiven: declared.memory.$evicting) var evicting
  @Option(ifGiven: declared.memory.$encoding) var memoryEncoding
  @Option(declared.memory.$imageSize) var memorySize
  @Option(declared.memory.$quality) var memoryQuality
  @Option(ifGiven: declared.memory.$storedPredictions) var storedPredictions
  @Option(declared.memory.$directory, completion: .directory) var memoryDirectory
  @Option(declared.memory.$key, completion: .file()) var memoryKey
  @Option(declared.memory.$timeToLive) var timeToLive
  @Option(ifGiven: declared.memory.$keepPictures) var keepPictures
  @Option(ifGiven: declared.step.$updates) var updates
  @Option(ifGiven: declared.step.$incomingView) var incomingView
  @Option(ifGiven: declared.step.$incomingForm) var incomingForm
}

struct AugmentationOptions: ParsableArguments {
  @Option(
    ifGiven: declared.augmentation.$choice,
    completion: .words(["standard", "rand", "trivial", "cut-out", "rand,cut-out", "trivial,cut-out"]))
  var augmentation
  @Option(declared.augmentation.$magnitude) var augmentationMagnitude
  @Option(ifGiven: declared.augmentation.$growth) var augmentationGrowth
}

struct RecipeOptions: ParsableArguments {
  @Option(ifGiven: declared.recipe.$batchSize, isShown: true) var batchSize
  @Option(ifGiven: declared.recipe.$learningRate, isShown: true) var learningRate
  @Option(ifGiven: declared.recipe.$momentum) var momentum
  @Option(ifGiven: declared.recipe.$weightDecay) var weightDecay
  @Option(ifGiven: declared.recipe.$weightDecayOn) var weightDecayOn
  @Option(ifGiven: declared.recipe.$optimiser) var optimiser
  @Option(ifGiven: declared.recipe.$muonLearningRate) var muonLearningRate
  @Option(ifGiven: declared.recipe.$muonWeightDecay) var muonWeightDecay
  @Option(ifGiven: declared.recipe.$schedule) var schedule
  @Option(ifGiven: declared.recipe.$warmUp) var warmUp
  @Option(ifGiven: declared.recipe.$coolDown) var coolDown
  @Option(ifGiven: declared.recipe.$weightAverage) var weightAverage
  @Flag(ifGiven: declared.recipe.$blurPool) var blurPool
  @Option(ifGiven: declared.recipe.$progressiveResolution) var progressiveResolution
  @Flag(ifGiven: declared.recipe.$reestimateBatchNorm) var reestimateBatchNorm
  @Option(ifGiven: declared.recipe.$labelSmoothing) var labelSmoothing
  @Option(ifGiven: declared.recipe.$mixing) var mixing
  @Option(declared.recipe.$mixingAlpha) var mixingAlpha
  @Option(ifGiven: declared.$seed, isShown: true) var seed
  @Option(declared.$orderSeed) var orderSeed
}

struct ComputeOptions: ParsableArguments {
  @Option(
    ifGiven: declared.machine.$device, isShown: true, completion: .words(["auto", "cpu", "cuda", "cuda:0"]))
  var device
  @Option(declared.machine.$threads, isShown: true) var threads

  /// The device, or its default.
  var chosenDevice: String { device ?? declared.machine.device }

  func validate() throws { try declared.machine.$threads.check(threads) }
}

struct DecodeOptions: ParsableArguments {
  @Option(declared.machine.$decodeThreads) var decodeThreads
  @Option(declared.machine.$decodeMemory) var decodeMemory

  func validate() throws { try declared.machine.$decodeThreads.check(decodeThreads) }

  /// Sets the budget of this process, for commands without a run.
  func useMemory() throws { DecodeBudget.use(try decodeMemory?.read()) }
}

struct PrecisionOptions: ParsableArguments {
  @Option(ifGiven: declared.machine.$precision) var precision
  @Flag(switch: "amp", of: declared.machine.$precision) var amp: Bool?
  @Flag(ifGiven: declared.machine.$cudaGraphs) var cudaGraphs
  @Flag(ifGiven: declared.machine.$synchronisedBatchNorm) var synchronisedBatchNorm
}

struct ProcessOptions: ParsableArguments {
  @Option(
    name: .customLong("rank-timeout"),
    help: ArgumentHelp(
      "Seconds without an answer after which a rank counts as lost, 1 to 4096.",
      valueName: "SECONDS", visibility: .ofAll))
  var rankTimeout = 120

  @Option(
    name: .customLong("wait-for-ranks"),
    help: ArgumentHelp(
      "Time to wait for rank 0, and on rank 0 for the other ranks, such as 90s, 10m or 2h.",
      valueName: "TIME", visibility: .ofAll))
  var waitForRanks = "5m"

  /// The maximum times to wait for other ranks.
  /// - Throws: `OnePassError` (`usage`) if a time is impossible.
  func timeouts() throws -> ProcessGroup.Timeouts {
    guard let seconds = TimeSpan.seconds(waitForRanks), seconds <= 86_400 else {
      throw OnePassError.impossibleWaitForRanks(waitForRanks)
    }
    return ProcessGroup.Timeouts(
      connecting: .seconds(seconds), arriving: .seconds(seconds), answering: .seconds(rankTimeout))
  }

  func validate() throws {
    try OptionRange.between(1, 4_096).check("--rank-timeout", rankTimeout)
    _ = try timeouts()
  }
}
