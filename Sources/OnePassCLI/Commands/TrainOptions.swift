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
    words(SourceRegistry.kinds.map { $0.name == "fashion-mnist" ? $0.name : "\($0.name):" })
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
  @Option(text: declared.data.$classCount, completion: .file()) var classes
  @Option(declared.data.$subjectKey, completion: .words(["folder", "stem", "json:"])) var subjectKey
  @Option(declared.data.$labelKey, isShown: true, completion: .words(["cls", "folder", "json:"])) var labelKey
  @Option(declared.data.$imageColumn) var imageColumn
  @Option(declared.data.$labelColumn) var labelColumn
  @Flag(declared.data.$strict, isShown: true) var strict
  @Option(declared.data.$orientation) var orientation
  @Option(declared.data.$shuffleBuffer) var shuffleBuffer
  @Option(declared.data.$brokenLimit) var brokenLimit
}

struct ModelOptions: ParsableArguments {
  @Option(declared.model.$name, isShown: true, completion: .list(ModelRegistry.names)) var model
  @Option(declared.model.$stem) var stem
  @Option(declared.model.$imageSize) var imageSize
  @Option(declared.model.$channels) var channels
  @Option(declared.model.$initialise, completion: .file()) var initialise
}

struct MethodOptions: ParsableArguments {
  @Option(declared.$method, isShown: true) var method
  @Option(declared.memory.$storage, isShown: true) var storage
  @Option(declared.replay.$steps, isShown: true) var replaySteps
  @Option(declared.$epochs, isShown: true) var epochs
  @Option(declared.replay.$course) var replayCourse
  @Option(declared.replay.$priority) var priority
  @Option(declared.replay.$smoothing) var smoothing
  @Option(declared.replay.$priorityTiming) var priorityTiming
  @Flag(declared.replay.$importanceWeights) var importanceWeights
  @Option(declared.memory.$recencyBias) var recencyBias
  @Option(declared.memory.$drawing) var drawing
  @Option(declared.memory.$evicting) var evicting
  @Option(declared.memory.$encoding) var memoryEncoding
  @Option(declared.memory.$imageSize) var memorySize
  @Option(declared.memory.$quality) var memoryQuality
  @Option(declared.memory.$storedPredictions) var storedPredictions
  @Option(declared.memory.$directory, completion: .directory) var memoryDirectory
  @Option(declared.memory.$timeToLive) var timeToLive
  @Option(ifGiven: declared.memory.$keepPictures) var keepPictures
  @Option(declared.step.$updates) var updates
  @Option(declared.step.$incomingView) var incomingView
  @Option(declared.step.$incomingForm) var incomingForm
}

struct AugmentationOptions: ParsableArguments {
  @Option(
    declared.augmentation.$choice,
    completion: .words(["standard", "rand", "trivial", "cut-out", "rand,cut-out", "trivial,cut-out"]))
  var augmentation
  @Option(declared.augmentation.$magnitude) var augmentationMagnitude
  @Option(declared.augmentation.$growth) var augmentationGrowth
}

struct RecipeOptions: ParsableArguments {
  @Option(declared.recipe.$batchSize, isShown: true) var batchSize
  @Option(declared.recipe.$learningRate, isShown: true) var learningRate
  @Option(declared.recipe.$momentum) var momentum
  @Option(declared.recipe.$weightDecay) var weightDecay
  @Option(declared.recipe.$weightDecayOn) var weightDecayOn
  @Option(declared.recipe.$optimiser) var optimiser
  @Option(declared.recipe.$muonLearningRate) var muonLearningRate
  @Option(declared.recipe.$muonWeightDecay) var muonWeightDecay
  @Option(declared.recipe.$schedule) var schedule
  @Option(declared.recipe.$warmUp) var warmUp
  @Option(declared.recipe.$coolDown) var coolDown
  @Option(declared.recipe.$weightAverage) var weightAverage
  @Flag(declared.recipe.$blurPool) var blurPool
  @Option(declared.recipe.$progressiveResolution) var progressiveResolution
  @Flag(declared.recipe.$reestimateBatchNorm) var reestimateBatchNorm
  @Option(declared.recipe.$labelSmoothing) var labelSmoothing
  @Option(declared.recipe.$mixing) var mixing
  @Option(declared.recipe.$mixingAlpha) var mixingAlpha
  @Option(declared.$seed, isShown: true) var seed
}

struct ComputeOptions: ParsableArguments {
  @Option(
    declared.machine.$device, isShown: true, completion: .words(["auto", "cpu", "cuda", "cuda:0"]))
  var device
  @Option(declared.machine.$threads, isShown: true) var threads

  func validate() throws { try declared.machine.$threads.check(threads) }
}

struct DecodeOptions: ParsableArguments {
  @Option(declared.machine.$decodeThreads) var decodeThreads

  func validate() throws { try declared.machine.$decodeThreads.check(decodeThreads) }
}

struct PrecisionOptions: ParsableArguments {
  @Option(declared.machine.$precision) var precision
  @Flag(declared.machine.$cudaGraphs) var cudaGraphs
  @Flag(declared.machine.$synchronisedBatchNorm) var synchronisedBatchNorm
}

struct ProcessOptions: ParsableArguments {
  @Option(
    name: .customLong("rank-timeout"),
    help: ArgumentHelp(
      "Seconds after which a process that does not answer counts as lost (distributed training).",
      valueName: "SECONDS", visibility: .ofAll))
  var rankTimeout = 120

  func validate() throws { try OptionRange.between(1, 4_096).check("--rank-timeout", rankTimeout) }
}
