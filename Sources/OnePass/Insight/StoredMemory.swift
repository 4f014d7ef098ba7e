import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch

/// The memory of a run, read from its files. Reading changes nothing, and the run may be training.
///
/// ```swift
/// let memory = try StoredMemory(of: "runs/photos")
/// print(memory.items.count, memory.summary.age?.median ?? 0)
/// ```
public struct StoredMemory {

  /// The folder of the run, as passed.
  public let path: String
  /// The progress of the run.
  public let stage: RunStage
  /// The items, in stream order.
  public let items: [MemoryItem]
  /// The number of examples taken from the stream.
  public let examplesSeen: Int
  /// Counters of the memory; `nil` if the folder does not contain them.
  public let counters: MemoryCounters?
  /// The model and its classes.
  public let card: ModelCard
  /// The options of the run; `nil` if only the folder of a checkpoint was passed.
  public let configuration: RunConfiguration?
  /// The plan of the run; `nil` if only the folder of a checkpoint was passed.
  public let plan: TrainingPlan?
  /// The images that are available.
  package let pictures: StoredPictures
  private let weights: () throws -> StateDictionary
  private let seed: UInt64

  /// Reads the memory of a run.
  /// - Parameters:
  ///   - path: The folder of a run, finished or not, or the `checkpoint` folder in it.
  ///   - location: Where the memory on disk and the key file are, if they were moved.
  /// - Throws: `OnePassError`: `io` if there is no run, `usage` if it had no memory, `badData` if it is damaged.
  public init(of path: String, at location: MemoryLocation = .init()) throws {
    if let last = try UnfinishedRun.lastCheckpoint(of: path) {
      try self.init(unfinished: path, last, location)
    } else {
      try self.init(finished: path, location)
    }
  }

  private init(finished path: String, _ location: MemoryLocation) throws {
    let files = try RunFiles(path)
    let hasResult = FileManager.default.fileExists(atPath: "\(path)/result.json")
    let result = hasResult ? try RunFiles.result(in: path) : nil
    if let configuration = result?.configuration { try Self.checkMemory(configuration, path) }
    let position = try files.position()
    self.path = path
    stage = .finished
    items = try MemoryTable(of: files).items
    (examplesSeen, counters, seed) = (position.examplesSeen, position.memory, position.seed)
    card = try files.modelCard()
    weights = { try StateDictionary(safetensors: files.path(of: Checkpoint.weightsName)) }
    (configuration, plan) = (result?.configuration, result?.plan)
    let location = location.completed(by: result?.configuration.memory)
    pictures =
      if let run = position.memoryRun {
        StoredPictures(run, at: location)
      } else {
        StoredPictures(keptIn: files.checkpoint, result?.configuration, location)
      }
  }

  private init(unfinished path: String, _ last: UnfinishedRun.Contents, _ location: MemoryLocation) throws {
    let state = last.state
    try Self.checkMemory(state.configuration, path)
    self.path = path
    stage = RunStage(state, at: last.folder)
    items = (last.memory?.items ?? []).sorted { $0.id < $1.id }
    (examplesSeen, counters, seed) = (state.examplesTaken, last.memory?.counters, state.configuration.seed)
    (card, weights) = (state.card, last.trainedWeights)
    (configuration, plan) = (state.configuration, state.plan)
    let folder = "\(path)/\(UnfinishedRun.folderName)"
    let location = location.completed(by: state.configuration.memory)
    pictures =
      if let run = state.memoryRun {
        StoredPictures(run, at: location, archive: folder)
      } else {
        StoredPictures(archive: folder, location)
      }
  }

  private static func checkMemory(_ configuration: RunConfiguration, _ path: String) throws {
    guard configuration.method != .replay else { return }
    throw OnePassError.runWithoutMemory(path, title: configuration.title)
  }

  // MARK: Figures

  /// Statistics of the items.
  public var summary: MemorySummary { MemorySummary(items, examplesSeen: examplesSeen) }

  /// How evenly the classes share the memory.
  public var balance: ClassBalance { ClassBalance(summary.itemsPerClass, classes: card.classes) }

  /// The used fraction of the capacity, 0 … 1, in items or in bytes, as the capacity was specified.
  public var fill: Double? {
    if let capacity = plan?.capacityExamples { return Double(items.count) / Double(capacity) }
    guard let capacity = plan?.capacityBytes, let bytes = counters?.bytes else { return nil }
    return Double(bytes) / Double(capacity)
  }

  /// A histogram of the priorities, in twenty equal bins.
  ///
  /// The bins cover 0 … 1, or the range of the priorities if it is below 0.1.
  public var priorities: Histogram {
    let values = items.map { Double($0.priority) }
    guard let span = summary.priority, span.maximum - span.minimum < 0.1, span.maximum > span.minimum else {
      return Histogram(values, from: 0, to: 1)
    }
    return Histogram(values, from: span.minimum)
  }

  /// The title of the stored loss.
  package var lossTitle: String { configuration?.replay.priority == .learnability ? "mean loss" : "loss" }

  /// A histogram of the losses, in nats, in twenty equal bins from 0.
  public var losses: Histogram { Histogram(items.map { Double($0.loss) }, from: 0) }

  /// The present model's most likely class for images of the memory, by position.
  ///
  /// Images that cannot be decoded are omitted.
  /// - Parameter images: The images, by position.
  /// - Throws: `OnePassError` if the weights cannot be read.
  package func predictions(of images: [Int: EncodedImage]) throws -> [Int: Prediction.Class] {
    let model = try TrainedModel(card, weights: weights(), seed: seed, device: "cpu")
    return try model.predicting(top: 1) { classes in
      images.compactMapValues { try? classes($0).first }
    }
  }
}
