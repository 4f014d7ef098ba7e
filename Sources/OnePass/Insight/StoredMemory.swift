import Foundation
import OnePassCore
import OnePassReplay

/// The memory of a run as its files tell of it, to be looked at: nothing is changed, and a run that trains goes on meanwhile.
///
/// ```swift
/// let memory = try StoredMemory(of: "runs/photos")
/// print(memory.items.count, memory.summary.age?.median ?? 0)
/// ```
public struct StoredMemory {
  /// How far the run had come.
  public enum Stage: Hashable, Sendable {
    case finished
    /// After a step of so many, as its last checkpoint has it.
    case unfinished(step: Int, of: Int, checkpoint: String)
  }

  /// The folder of the run, as it was given.
  public let path: String
  public let stage: Stage
  /// In stream order.
  public let items: [MemoryItem]
  /// Examples that had been taken from the stream.
  public let examplesSeen: Int
  /// What had happened to the memory; `nil` in a folder that does not tell.
  public let counters: MemoryCounters?
  /// The classes and the model.
  public let card: ModelCard
  /// `nil` where only the folder of a checkpoint was given.
  public let configuration: RunConfiguration?
  /// `nil` as above.
  public let plan: TrainingPlan?
  /// The images that can be shown.
  package let pictures: StoredPictures
  private let weights: String
  private let seed: UInt64

  /// - Parameters:
  ///   - path: The folder of a run, finished or not, or the `checkpoint` folder in it.
  ///   - memoryDirectory: Where its memory is by now, if it has one on disk and that was moved.
  /// - Throws: `OnePassError`: `io` if there is no run, `usage` if it had no memory, `badData` if it is damaged.
  public init(of path: String, memoryDirectory: String? = nil) throws {
    let isUnfinished =
      try !FileManager.default.fileExists(atPath: "\(path)/result.json")
      && UnfinishedRun.hasCheckpoint(in: path)
    if isUnfinished {
      try self.init(unfinished: path, memoryDirectory: memoryDirectory)
    } else {
      try self.init(finished: path, memoryDirectory: memoryDirectory)
    }
  }

  private init(finished path: String, memoryDirectory: String?) throws {
    let files = try RunFiles(path)
    let hasResult = FileManager.default.fileExists(atPath: "\(path)/result.json")
    let result = hasResult ? try RunFiles.result(in: path) : nil
    if let configuration = result?.configuration { try Self.checkMemory(configuration, path) }
    let position = try files.position()
    self.path = path
    stage = .finished
    items = try MemoryTable(of: files).items
    (examplesSeen, counters, seed) = (position.examplesSeen, position.memory, position.seed)
    (card, weights) = (try files.modelCard(), files.path(of: "model.safetensors"))
    (configuration, plan) = (result?.configuration, result?.plan)
    pictures =
      if let run = position.memoryRun {
        StoredPictures(run, at: memoryDirectory ?? result?.configuration.memory.directory)
      } else {
        StoredPictures(keptIn: files.path(of: ""), result?.configuration)
      }
  }

  private init(unfinished path: String, memoryDirectory: String?) throws {
    let (checkpoint, state, memory) = try Self.lastCheckpoint(in: path)
    try Self.checkMemory(state.configuration, path)
    self.path = path
    stage = .unfinished(
      step: state.loop.position.steps, of: state.loop.position.coolDown?.lastStep ?? state.plan.steps,
      checkpoint: checkpoint.name)
    items = (memory?.items ?? []).sorted { $0.id < $1.id }
    (examplesSeen, counters, seed) = (state.examplesTaken, memory?.counters, state.configuration.seed)
    (card, weights) = (state.card, checkpoint.path(of: "model.safetensors"))
    (configuration, plan) = (state.configuration, state.plan)
    let folder = "\(path)/\(UnfinishedRun.folderName)"
    pictures =
      if let run = state.memoryRun {
        StoredPictures(run, at: memoryDirectory ?? state.configuration.memory.directory, archive: folder)
      } else {
        StoredPictures(archive: folder)
      }
  }

  private static func checkMemory(_ configuration: RunConfiguration, _ path: String) throws {
    guard configuration.method != .replay else { return }
    throw OnePassError(
      .usage,
      "The run in \(path) had no replay memory: it was \(configuration.title). Give one of `--method replay`."
    )
  }

  /// The last checkpoint of a run that may be training, and may let go of it while it is being read.
  private static func lastCheckpoint(
    in path: String
  ) throws -> (CheckpointFolder, RunState, MemorySnapshot?) {
    let folder = "\(path)/\(UnfinishedRun.folderName)"
    var tried: String?
    while true {
      guard let last = try UnfinishedRun.checkpoints(in: folder).last else {
        throw OnePassError(.io, "\(path) holds no checkpoint any more: try again once the run is finished.")
      }
      do {
        let (state, memory) = try UnfinishedRun.contents(of: last)
        return (last, state, memory)
      } catch let error as OnePassError where error.code == .badData && last.name != tried {
        tried = last.name
      }
    }
  }

  // MARK: Figures

  /// The items in figures.
  public var summary: MemorySummary { MemorySummary(items, examplesSeen: examplesSeen) }

  /// How evenly the classes share the memory.
  public var balance: ClassBalance { ClassBalance(summary.itemsPerClass, classes: card.classes) }

  /// How full it is, as a share of what it may hold, 0 … 1: in items or in bytes, as the budget was given.
  public var fill: Double? {
    if let capacity = plan?.capacityExamples { return Double(items.count) / Double(capacity) }
    guard let capacity = plan?.capacityBytes, let bytes = counters?.bytes else { return nil }
    return Double(bytes) / Double(capacity)
  }

  /// The priorities, in twenty equal parts of 0 … 1, or of what they span where that is far less.
  public var priorities: Histogram {
    let values = items.map { Double($0.priority) }
    guard let span = summary.priority, span.maximum - span.minimum < 0.1, span.maximum > span.minimum else {
      return Histogram(values, from: 0, to: 1)
    }
    return Histogram(values, from: span.minimum)
  }

  /// What the loss is that is kept of an item.
  package var lossTitle: String { configuration?.replay.priority == .learnability ? "mean loss" : "loss" }

  /// The losses, in nats, in twenty equal parts from 0.
  public var losses: Histogram { Histogram(items.map { Double($0.loss) }, from: 0) }

  /// What the model of the run says now of pictures of the memory: the most likely class, by position.
  ///
  /// Those that cannot be decoded are left out.
  /// - Parameter images: By position.
  /// - Throws: `OnePassError` if the weights cannot be read.
  package func predictions(of images: [Int: EncodedImage]) throws -> [Int: Prediction.Class] {
    let model = try TrainedModel(card, weights: weights, seed: seed, device: "cpu")
    return try model.predicting(top: 1) { classes in
      images.compactMapValues { try? classes($0).first }
    }
  }
}
