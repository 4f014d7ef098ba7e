import ArgumentParser
import Foundation
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
extension MemoryEncoding: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

extension Stem: ExpressibleByArgument {
  public init?(argument: String) { self.init(rawValue: argument == "imagenet" ? "imageNet" : argument) }
  public static var allValueStrings: [String] { ["imagenet", "small"] }
}

extension CompletionKind {
  /// The kinds of sources, as a specification begins.
  static var specification: CompletionKind {
    words(SourceRegistry.kinds.map { $0.name == "fashion-mnist" ? $0.name : "\($0.name):" })
  }

  /// Words that may hold colons, behind which zsh looks for a description.
  static func words(_ words: [String]) -> CompletionKind {
    .list(words.map { CompletionShell.requesting == .zsh ? $0.replacing(":", with: "\\:") : $0 })
  }
}

struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The stream to train on, here or in the configuration.", valueName: "SPEC"),
    completion: .specification)
  var data: String?

  @Option(
    name: .customLong("eval-data"),
    help: ArgumentHelp("Labelled images to measure the accuracy on.", valueName: "SPEC"),
    completion: .specification)
  var evaluationData: String?

  @Option(help: ArgumentHelp("Take at most this many examples from the stream.", valueName: "N"))
  var limit: Int?

  @Option(
    name: .customLong("eval-limit"),
    help: ArgumentHelp("Evaluate on at most this many examples.", valueName: "N"))
  var evaluationLimit: Int?

  @Option(
    help: ArgumentHelp(
      "The number of classes, or a text file with a name on each line (default: found in the data).",
      valueName: "N|FILE"), completion: .file())
  var classes: String?

  @Option(
    name: .customLong("subject-key"),
    help: ArgumentHelp(
      "Where an example says whom it is about, for `memory forget`: folder, stem or json:FIELD.",
      valueName: "KEY"), completion: .words(["folder", "stem", "json:"]))
  var subjectKey: String?

  @Option(
    name: .customLong("shuffle-buffer"),
    help: ArgumentHelp(
      "Shuffle a stream that arrives sorted, in a buffer of so many examples (10000) or bytes (500MB).",
      valueName: "N|BYTES"))
  var shuffleBuffer: String?

  @Option(
    name: .customLong("broken-limit"),
    help: ArgumentHelp("Stop if more than this share of the images is broken.", valueName: "0...1"))
  var brokenLimit = 0.1

  func apply(to configuration: inout RunConfiguration) throws {
    configuration.evaluationData = evaluationData
    configuration.limit = limit
    configuration.evaluationLimit = evaluationLimit
    configuration.brokenLimit = brokenLimit
    configuration.shuffleBuffer = try shuffleBuffer.map { try ShuffleBufferSize($0) }
    configuration.subjectKey = try subjectKey.map { try SubjectKey($0) }
    guard let classes else { return }
    if let count = Int(classes) {
      configuration.classCount = count
    } else {
      configuration.classNames = try Self.readClassNames(classes)
    }
  }

  /// - Parameter path: A file, or what would be in it: no path has several lines.
  private static func readClassNames(_ path: String) throws -> [String] {
    let isText = path.contains(where: \.isNewline)
    guard let text = isText ? path : try? String(contentsOfFile: path, encoding: .utf8) else {
      throw OnePassError(
        .io, "The class names \(path) cannot be read: give a text file with a name on each line.")
    }
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    guard names.count >= 2, Set(names).count == names.count else {
      throw OnePassError(
        .badData,
        "\(isText ? "--classes" : path) does not hold two or more different class names, one on each line.")
    }
    return names
  }
}

struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The network: \(ModelRegistry.names.joined(separator: ", ")).", valueName: "NAME"),
    completion: .list(ModelRegistry.names))
  var model = "resnet50"

  @Option(help: "The first layers: for large images (imagenet) or small ones (default: by the image size).")
  var stem: Stem?

  @Option(
    name: .customLong("image-size"),
    help: ArgumentHelp(
      "The side of the model's input in pixels (default: by the first image).", valueName: "PIXELS"))
  var imageSize: Int?

  @Option(help: ArgumentHelp("1 for grey, 3 for colour (default: by the first image).", valueName: "1|3"))
  var channels: Int?

  @Option(
    help: ArgumentHelp(
      "Begin with the weights of a safetensors file or a finished run; the last layer is new where the classes differ.",
      valueName: "FILE"),
    completion: .file())
  var initialise: String?

  func apply(to configuration: inout RunConfiguration) {
    configuration.model = model
    configuration.stem = stem
    configuration.imageSize = imageSize
    configuration.channels = channels
    configuration.initialise = initialise
  }
}

struct MethodOptions: ParsableArguments {
  @Option(help: "How the stream is used.")
  var method = OnePass.Method.replay

  @Option(
    help: ArgumentHelp(
      "What the memory may hold: a share (10%), examples (6000) or bytes (500MB).", valueName: "AMOUNT"))
  var storage = "10%"

  @Option(
    name: .customLong("replay-steps"),
    help: ArgumentHelp("k, the mini-batches replayed with each incoming one.", valueName: "K"))
  var replaySteps = 8

  @Option(
    name: .customLong("replay-course"),
    help: "How they are spread over the run: k with each (constant), or from none to 2k (rising).")
  var replayCourse = ReplayCourse.constant

  @Option(
    help: """
      What makes an example worth replaying: its loss; nothing, all alike (uniform); that its loss still changes (learnability); \
      all alike, but half as often where its loss is below the memory's mean (pruning). The last two need --priority-timing \
      refreshed.
      """)
  var priority = PriorityKind.loss

  @Option(
    name: .customLong("alpha"),
    help: "The course of the priority's α: to 1 (full) or by the paper's formula to the letter (literal).")
  var smoothing = SmoothingSchedule.full

  @Option(name: .customLong("priority-timing"), help: "Which loss and which α a priority comes from.")
  var priorityTiming = PriorityTiming.insertion

  @Flag(
    name: .customLong("importance-weights"), inversion: .prefixedNo,
    help: "Weight replayed losses by 1/P, with mean 1 in each mini-batch.")
  var importanceWeights = true

  @Option(
    name: .customLong("recency-bias"),
    help: ArgumentHelp(
      "β of the reservoir: 1 keeps all equally likely, more favours the fresh.", valueName: "BETA"))
  var recencyBias = 1.5

  @Option(
    help:
      "Which item is drawn for a replay. Two can be mixed: uniform+class-balanced:0.3 leaves three draws in ten to the second."
  )
  var drawing = SelectorKind.prioritised

  @Option(
    help:
      "Which item makes room for a new one. Two can be mixed: uniform+oldest:0.3 keeps part reservoir, part window."
  )
  var evicting = SelectorKind.uniform

  @Option(
    name: .customLong("memory-encoding"),
    help:
      "The form in which the memory keeps an image: as it arrived, as 8-bit pixels, or as a JPEG of the size crops are taken from."
  )
  var memoryEncoding = MemoryEncoding.original

  @Option(
    name: .customLong("memory-directory"),
    help: ArgumentHelp("Keep the memory's images on disk in this folder, and not in RAM.", valueName: "DIR"),
    completion: .directory)
  var memoryDirectory: String?

  @Option(
    name: .customLong("time-to-live"),
    help: ArgumentHelp(
      "How long an example may stay in the memory: until so many have come after it (50000), or a time (30d).",
      valueName: "N|TIME"))
  var timeToLive: String?

  @Option(
    name: .customLong("keep-pictures"),
    help: ArgumentHelp(
      "How many images of the highest, and of the lowest, priorities stay in the output folder for `memory inspect` (default: 24; none with --time-to-live or --memory-directory).",
      valueName: "N"))
  var keepPictures: Int?

  @Option(help: "Train the k + 1 mini-batches of a step one after the other, or as one update.")
  var updates = UpdateMode.sequential

  @Option(name: .customLong("incoming-view"), help: "How incoming images are cropped under replay.")
  var incomingView = IncomingView.augmented

  @Option(help: ArgumentHelp("Passes of multi-epoch training.", valueName: "E"))
  var epochs = 90

  func apply(to configuration: inout RunConfiguration) throws {
    configuration.method = method
    configuration.storage = try StorageBudget(storage)
    configuration.replaySteps = replaySteps
    configuration.replayCourse = replayCourse
    configuration.priority = priority
    configuration.smoothing = smoothing
    configuration.priorityTiming = priorityTiming
    configuration.importanceWeights = importanceWeights
    configuration.recencyBias = recencyBias
    configuration.drawing = drawing
    configuration.evicting = evicting
    configuration.memoryEncoding = memoryEncoding
    configuration.memoryDirectory = memoryDirectory
    configuration.timeToLive = try timeToLive.map { try TimeToLive($0) }
    if let keepPictures {
      guard keepPictures == 0 || timeToLive == nil else {
        throw OnePassError(
          .usage,
          "--keep-pictures \(keepPictures) would keep images beyond --time-to-live: leave one of the two out."
        )
      }
      guard keepPictures == 0 || memoryDirectory == nil else {
        throw OnePassError(
          .usage,
          "--keep-pictures copies images out of RAM, and --memory-directory keeps all of them: leave it out.")
      }
      configuration.keepPictures = keepPictures
    }
    configuration.updates = updates
    configuration.incomingView = incomingView
    configuration.epochs = epochs
  }
}

struct OptimisationOptions: ParsableArguments {
  @Option(name: .customLong("batch-size"), help: ArgumentHelp("Examples in a mini-batch.", valueName: "N"))
  var batchSize = 128

  @Option(
    name: .customLong("learning-rate"),
    help: ArgumentHelp("The highest of SGD; --schedule says how it changes.", valueName: "RATE"))
  var learningRate = 0.1

  @Option(help: ArgumentHelp("Nesterov momentum.", valueName: "0..<1"))
  var momentum = 0.9

  @Option(
    name: .customLong("weight-decay"), help: ArgumentHelp("L2 penalty of SGD.", valueName: "RATE"))
  var weightDecay = 0.0

  @Option(help: ArgumentHelp("Fixes every random choice.", valueName: "S"))
  var seed: UInt64 = 1

  func apply(to configuration: inout RunConfiguration) {
    configuration.batchSize = batchSize
    configuration.learningRate = learningRate
    configuration.momentum = momentum
    configuration.weightDecay = weightDecay
    configuration.seed = seed
  }
}

struct ComputeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Where to compute: auto, cpu, cuda or cuda:i.", valueName: "DEVICE"),
    completion: .words(["auto", "cpu", "cuda", "cuda:0"]))
  var device = "auto"

  @Option(help: ArgumentHelp("Threads that compute on the CPU (default: one for each core).", valueName: "T"))
  var threads: Int?

  func validate() throws { try requirePositive("--threads", threads) }
}

struct PrecisionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "In what convolutions and matrix products are computed while training: float32 or bfloat16 (mixed precision).",
      valueName: "TYPE"))
  var precision = Precision.float32

  @Flag(
    name: .customLong("cuda-graphs"), inversion: .prefixedNo,
    help: "Record the update on a full mini-batch once, and launch it as a whole for each.")
  var cudaGraphs = false

  @Flag(
    name: .customLong("synchronised-batch-norm"), inversion: .prefixedNo,
    help: "With several processes, normalise the whole mini-batch together.")
  var synchronisedBatchNorm = false

  func apply(to configuration: inout RunConfiguration) {
    configuration.precision = precision
    configuration.synchronisedBatchNorm = synchronisedBatchNorm
    configuration.cudaGraphs = cudaGraphs
  }
}

struct ProcessOptions: ParsableArguments {
  @Option(
    name: .customLong("rank-timeout"),
    help: ArgumentHelp(
      "With several processes, the seconds after which one that does not answer counts as lost.",
      valueName: "SECONDS"))
  var rankTimeout = 120

  func validate() throws { try requirePositive("--rank-timeout", rankTimeout) }
}

struct DecodeOptions: ParsableArguments {
  @Option(
    name: .customLong("decode-threads"),
    help: ArgumentHelp("Threads that decode images (default: one for each core).", valueName: "T"))
  var decodeThreads: Int?

  func validate() throws { try requirePositive("--decode-threads", decodeThreads) }
}

/// Refuses a count of 0, below 0, or beyond what any machine has.
func requirePositive(_ option: String, _ value: Int?) throws {
  guard let value, !(1...4_096).contains(value) else { return }
  throw OnePassError(.usage, "\(option) \(value) is not possible: give 1 to 4096.")
}
