import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch

/// The position of a run. All random choices are functions of the seed and of these numbers.
///
/// ```swift
/// let position = try RunFiles("runs/first").position()
/// print(position.step, position.examplesSeen)
/// ```
public struct TrainingPosition: Codable, Hashable, Sendable {
  /// The number of steps done.
  public var step: Int
  /// The number of optimiser updates made.
  public var updates: Int
  /// The number of examples taken from the stream.
  public var examplesSeen: Int
  /// The number of examples back-propagated, replays included.
  public var examplesTrained: Int
  /// The random seed of the run.
  public var seed: UInt64
  /// The counters of the replay memory; `nil` without one.
  public var memory: MemoryCounters?
  /// The identifier of the run's memory directory; `nil` without one.
  public var memoryRun: String?
  /// The valid part of the ledger; `nil` without one.
  public var ledger: LedgerMark?
  /// The arrival times of examples.
  var arrivals: ArrivalLog?
  /// The places where the stream continued with another source; `nil` if it has one source.
  public var gaps: [StreamGap]?
}

/// The model of a finished run with its optimiser and its position, as files.
///
/// ```
/// checkpoint/model.safetensors       weights and running statistics, with torchvision's names
/// checkpoint/optimiser.safetensors   momentum
/// checkpoint/model.json              the architecture and the preparation of images
/// checkpoint/progress.json           the position in the run
/// checkpoint/memory.csv              the contents of the replay memory, without the images
/// checkpoint/memory.index            the same in binary form, if images are kept in a memory directory or in pictures
/// checkpoint/pictures/images.sqlite  the images with the highest and lowest priorities, for inspection
/// ```
struct Checkpoint {
  let card: ModelCard
  let weights: StateDictionary
  let optimiser: StateDictionary
  let progress: TrainingPosition
  let memory: MemorySnapshot?

  static let folder = "checkpoint"
  static let weightsName = "model.safetensors"
  static let optimiserName = "optimiser.safetensors"
  static let indexName = "memory.index"

  func write(in folder: RunFolder) throws {
    try weights.write(to: folder.location(of: "\(Self.folder)/\(Self.weightsName)"))
    try optimiser.write(to: folder.location(of: "\(Self.folder)/\(Self.optimiserName)"))
    try folder.write(json: card, to: "\(Self.folder)/model.json")
    try folder.write(json: progress, to: "\(Self.folder)/progress.json")
    guard let memory else { return }
    try folder.write(MemoryTable(items: memory.items).csv, to: "\(Self.folder)/\(MemoryTable.fileName)")
    if progress.memoryRun != nil {
      let path = try folder.location(of: "\(Self.folder)/\(Self.indexName)")
      try folder.reporting { try MemoryIndex.encode(memory).write(to: URL(fileURLWithPath: path)) }
    }
  }
}
