import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// What a run was asked to do; every option with its default.
///
/// The defaults are the paper's setting (Hu et al. 2021, section 4.1): error-prioritised replay of k = 8
/// mini-batches from 10 % storage, SGD with Nesterov momentum 0.9, learning rate 0.1 with cosine decay.
///
/// ```swift
/// var configuration = RunConfiguration(data: "folder:photos/train")
/// configuration.evaluationData = "folder:photos/val"
/// configuration.replaySteps = 3
/// let result = try TrainingRun(configuration).start()
/// ```
public struct RunConfiguration: Codable, Hashable, Sendable {
  // MARK: Data

  /// The stream, as a source specification: `fashion-mnist`, `folder:DIR`, `wds:PATTERN`, …
  public var data: String
  /// Labelled images to measure the accuracy on; none, no accuracy.
  public var evaluationData: String?
  /// The number of examples to take from the stream; all of them if `nil`.
  public var limit: Int?
  /// The number of examples to evaluate on; all of them if `nil`.
  public var evaluationLimit: Int?
  /// The number of classes; found from the source if `nil`.
  public var classCount: Int?
  /// The names of the classes, in label order; found from the source if `nil`.
  public var classNames: [String]?
  /// Where an example says whom it is about, so that a subject can be forgotten; nowhere if `nil`.
  public var subjectKey: SubjectKey?
  /// How much of the stream waits in a buffer from which its order is drawn; the order of arrival if `nil`.
  public var shuffleBuffer: ShuffleBufferSize?
  /// The share of broken images (0 … 1) above which the stream counts as broken and the run stops.
  public var brokenLimit = 0.1

  // MARK: Model

  public var model = "resnet50"
  /// The first layers, for large or for small images; chosen by the image size if `nil`.
  public var stem: Stem?
  /// The side of the model's square input, in pixels; chosen by the first image if `nil`.
  public var imageSize: Int?
  /// 1 (grey) or 3 (colour); chosen by the first image if `nil`.
  public var channels: Int?
  /// The weights to begin with: a safetensors file with torchvision's names, or the folder of a finished run; random ones by
  /// the seed if `nil`. The last layer is new where the classes differ.
  public var initialise: String?
  /// Whether images are blurred before each convolution that takes a stride, so that what it skips is not lost.
  public var blurPool = false

  // MARK: Method

  public var method = Method.replay
  /// How much of the stream the replay memory may hold.
  public var storage = StorageBudget.fraction(0.1)
  /// k, the mini-batches replayed with each incoming one.
  public var replaySteps = 8
  /// How they are spread over the run.
  public var replayCourse = ReplayCourse.constant
  public var priority = PriorityKind.loss
  /// The course of the priority's α.
  public var smoothing = SmoothingSchedule.full
  public var priorityTiming = PriorityTiming.insertion
  public var importanceWeights = true
  /// The reservoir's β.
  public var recencyBias = 1.5
  public var drawing = SelectorKind.prioritised
  public var evicting = SelectorKind.uniform
  /// In which form the memory keeps an image.
  public var memoryEncoding = MemoryEncoding.original
  /// The side of resized images in the memory, in pixels; the size from which crops are taken if `nil`.
  public var memorySize: Int?
  /// The JPEG quality of resized images in the memory, 1 … 100; 90 if `nil`.
  public var memoryQuality: Int?
  /// The folder in which the memory keeps its images; in the process's own memory if `nil`.
  public var memoryDirectory: String?
  /// How long an example may stay in the memory; as long as chance lets it if `nil`.
  public var timeToLive: TimeToLive?
  /// How many images of each end of the priorities a finished run keeps, to be looked at. There are none with a time to live,
  /// which they would outlive, nor with a memory directory, which has them all.
  public var keepPictures = 24
  public var updates = UpdateMode.sequential
  public var incomingView = IncomingView.augmented
  public var incomingForm = IncomingForm.arrived
  /// Passes of multi-epoch training.
  public var epochs = 90

  /// The share of the full side that training images have at first; they grow to the full side by the middle of the run.
  public var progressiveResolution = 1.0
  /// What training images get beyond crop and flip. Centre crops get nothing.
  public var augmentation = AugmentationChoice.standard
  /// The share (0 … 1) of the largest magnitude that the operations of RandAugment and TrivialAugment have; the usual one of
  /// each if `nil`.
  public var augmentationMagnitude: Double?
  /// The visits of an image until its augmentation has the full strength; with 0 arriving images are augmented too.
  public var augmentationGrowth = 1.0

  // MARK: Optimisation

  public var batchSize = 128
  /// The highest learning rate of SGD.
  public var learningRate = 0.1
  public var momentum = 0.9
  public var weightDecay = 0.0
  /// What the weight decay of SGD takes hold of.
  public var weightDecayOn = WeightDecayScope.all
  public var optimiser = OptimiserKind.sgd
  /// The highest learning rate of Muon, where there is one; it follows the same schedule.
  public var muonLearningRate = 0.02
  /// Muon's weight decay, which is decoupled from the gradient: a share of each weight, times the learning rate.
  public var muonWeightDecay = 0.0
  /// The course of the learning rates after the warm-up.
  public var schedule = LearningRateSchedule.Shape.cosine
  /// The share of the updates over which the learning rates rise.
  public var warmUp = 0.0
  /// Of a trapezoid, planned or on demand: the share of the updates over which the learning rates fall at the end.
  public var coolDown = 0.2
  /// The decay of the moving average of the weights that is evaluated and saved; none is taken if 0.
  public var weightAverage = 0.0
  /// Whether the running statistics of batch normalisation are taken anew at the end, over the images still at hand.
  public var reestimateBatchNorm = false
  /// ε: the share of an image's target that all classes have alike.
  public var labelSmoothing = 0.0
  /// w: the share of a replayed image's target that is what the model took it for when it was trained last.
  ///
  /// The memory then keeps that with each item, in 12 bytes.
  public var storedPredictions = 0.0
  /// What is made of the images of a mini-batch that were trained before.
  public var mixing = Mixing.none
  /// The α of Beta(α, α), from which the shares of mixed images are drawn; 0.2 for mixup and 1 for CutMix if `nil`.
  public var mixingAlpha: Double?
  public var seed: UInt64 = 1

  // MARK: Machine

  /// `auto`, `cpu`, `cuda` or `cuda:i`.
  public var device = "auto"
  /// In what convolutions and matrix products are computed while training; evaluation is in float32.
  public var precision = Precision.float32
  /// Whether the update on a full mini-batch is recorded once and launched as a whole for each (CUDA graphs). On the CPU
  /// the same work is done without a recording. The sums of a mini-batch may differ in their last bits.
  public var cudaGraphs = false
  /// Whether batch normalisation takes the mini-batch's parts on all ranks together, as it is with one.
  public var synchronisedBatchNorm = false
  /// Threads that compute on the CPU; one for each core if `nil`.
  public var threads: Int?
  /// Threads that decode images; one for each core if `nil`. No result depends on it.
  public var decodeThreads: Int?

  public init(data: String) { self.data = data }

  /// Refuses values that cannot mean anything, each by itself.
  /// - Throws: `OnePassError` (`usage`) naming the first such option.
  package func validateValues() throws {
    func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
      if !condition { throw OnePassError(.usage, sentence()) }
    }
    func requirePositive(_ name: String, _ value: Int?, atMost largest: Int = 1 << 40) throws {
      guard let value else { return }
      try require(value > 0, "\(name) \(value) is not possible: give at least 1.")
      try require(value <= largest, "\(name) \(value) is not possible: give at most \(largest).")
    }
    try require(
      ModelRegistry.names.contains(model) || OwnPart.name(in: model) != nil,
      "The model \(model) is not known: use one of \(ModelRegistry.names.joined(separator: ", ")).")
    try require(initialise?.isEmpty != true, "--initialise names no file: give a safetensors file.")
    try require(
      initialise?.contains("://") != true,
      "--initialise \(initialise ?? "") is an address: fetch it, and give the file.")
    try requirePositive("--limit", limit)
    try shuffleBuffer?.validate()
    try require(
      shuffleBuffer == nil || method != .multiEpoch,
      "--shuffle-buffer is for a stream that passes once, and --method multi-epoch shuffles each pass: leave it out."
    )
    try requirePositive("--eval-limit", evaluationLimit)
    try requirePositive("--batch-size", batchSize, atMost: 1 << 20)
    try requirePositive("--threads", threads, atMost: 4_096)
    try requirePositive("--decode-threads", decodeThreads, atMost: 4_096)
    try requirePositive("--epochs", epochs, atMost: 1 << 20)
    try require(
      (imageSize ?? 32) >= 8 && (imageSize ?? 32) <= 4_096,
      "--image-size \(imageSize ?? 0) is not possible: give 8 to 4096 pixels.")
    try require(
      [1, 3].contains(channels ?? 3),
      "--channels \(channels ?? 0) is not possible: give 1 (grey) or 3 (colour).")
    try require(
      (0...10_000).contains(replaySteps), "--replay-steps \(replaySteps) is not possible: give 0 to 10000.")
    try storage.validate()
    try require(
      memoryDirectory == nil || method == .replay,
      "--memory-directory is for a replay memory, and --method \(method.rawValue) has none: leave it out.")
    try require(
      timeToLive == nil || method == .replay,
      "--time-to-live is for a replay memory, and --method \(method.rawValue) has none: leave it out.")
    try require(
      (0...500).contains(keepPictures), "--keep-pictures \(keepPictures) is not possible: give 0 to 500.")
    try require(
      !cudaGraphs || updates == .sequential || method != .replay,
      "--cuda-graphs records the update on one mini-batch, and --updates joint makes one on several: "
        + "leave one of the two out.")
    try validateImageValues()
    try require(memoryDirectory?.isEmpty != true, "The memory directory has no name: give a folder.")
    try require(
      recencyBias > 0 && recencyBias.isFinite,
      "--recency-bias \(recencyBias) is not possible: give a positive number.")
    try require(
      learningRate > 0 && learningRate.isFinite,
      "--learning-rate \(learningRate) is not possible: give a positive number.")
    try require(
      (0..<1).contains(momentum), "--momentum \(momentum) is not possible: give 0 or more, and less than 1.")
    try require(
      weightDecay >= 0 && weightDecay.isFinite,
      "--weight-decay \(weightDecay) is not possible: give 0 or more.")
    try validateRecipe()
    try require(
      (0...1).contains(brokenLimit),
      "--broken-limit \(brokenLimit) is not possible: give a share from 0 to 1.")
    if let classCount {
      try require(classCount >= 2, "--classes \(classCount) is not possible: give at least 2.")
    }
  }
}

// A record of a run states every option, so that reading it never depends on the defaults of today's program. An
// option that came after version 0.1.0 is missing in older records; it then has the value that does what the older
// program did, whatever the default is by now. Keys that this program does not know are passed over.
extension RunConfiguration {
  public init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: CodingKeys.self)
    func value<Value: Decodable>(_ key: CodingKeys) throws -> Value {
      try record.decode(Value.self, forKey: key)
    }
    func optional<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
      try record.decodeIfPresent(Value.self, forKey: key)
    }
    data = try value(.data)
    evaluationData = try optional(.evaluationData)
    limit = try optional(.limit)
    evaluationLimit = try optional(.evaluationLimit)
    classCount = try optional(.classCount)
    classNames = try optional(.classNames)
    subjectKey = try optional(.subjectKey)
    shuffleBuffer = try optional(.shuffleBuffer)
    brokenLimit = try value(.brokenLimit)
    model = try value(.model)
    stem = try optional(.stem)
    imageSize = try optional(.imageSize)
    channels = try optional(.channels)
    initialise = try optional(.initialise)
    blurPool = try optional(.blurPool) ?? false
    method = try value(.method)
    storage = try value(.storage)
    replaySteps = try value(.replaySteps)
    replayCourse = try optional(.replayCourse) ?? .constant
    priority = try value(.priority)
    smoothing = try value(.smoothing)
    priorityTiming = try value(.priorityTiming)
    importanceWeights = try value(.importanceWeights)
    recencyBias = try value(.recencyBias)
    drawing = try value(.drawing)
    evicting = try value(.evicting)
    memoryEncoding = try optional(.memoryEncoding) ?? .original
    memorySize = try optional(.memorySize)
    memoryQuality = try optional(.memoryQuality)
    memoryDirectory = try optional(.memoryDirectory)
    timeToLive = try optional(.timeToLive)
    keepPictures = try optional(.keepPictures) ?? 0
    updates = try value(.updates)
    incomingView = try value(.incomingView)
    incomingForm = try optional(.incomingForm) ?? .arrived
    epochs = try value(.epochs)
    progressiveResolution = try optional(.progressiveResolution) ?? 1
    augmentation = try optional(.augmentation) ?? .standard
    augmentationMagnitude = try optional(.augmentationMagnitude)
    augmentationGrowth = try optional(.augmentationGrowth) ?? 1
    batchSize = try value(.batchSize)
    learningRate = try value(.learningRate)
    momentum = try value(.momentum)
    weightDecay = try value(.weightDecay)
    weightDecayOn = try optional(.weightDecayOn) ?? .all
    optimiser = try optional(.optimiser) ?? .sgd
    muonLearningRate = try optional(.muonLearningRate) ?? 0.02
    muonWeightDecay = try optional(.muonWeightDecay) ?? 0
    schedule = try optional(.schedule) ?? .cosine
    warmUp = try optional(.warmUp) ?? 0
    coolDown = try optional(.coolDown) ?? 0.2
    weightAverage = try optional(.weightAverage) ?? 0
    reestimateBatchNorm = try optional(.reestimateBatchNorm) ?? false
    labelSmoothing = try optional(.labelSmoothing) ?? 0
    storedPredictions = try optional(.storedPredictions) ?? 0
    mixing = try optional(.mixing) ?? .none
    mixingAlpha = try optional(.mixingAlpha)
    seed = try value(.seed)
    device = try value(.device)
    precision = try optional(.precision) ?? .float32
    cudaGraphs = try optional(.cudaGraphs) ?? false
    synchronisedBatchNorm = try optional(.synchronisedBatchNorm) ?? false
    threads = try optional(.threads)
    decodeThreads = try optional(.decodeThreads)
  }
}
