import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch

/// Where a run stands. Every random choice is a function of the seed and of these numbers.
public struct TrainingPosition: Codable, Hashable, Sendable {
  public var step: Int
  public var updates: Int
  public var examplesSeen: Int
  public var examplesTrained: Int
  public var seed: UInt64
  public var memory: MemoryCounters?
  /// What tells the memory directory of this run from others, where it has one.
  public var memoryRun: String?
  /// How much of the ledger counts, where there is one.
  public var ledger: LedgerMark?
  /// When the examples came.
  var arrivals: ArrivalLog?
}

/// A model with its optimiser and its place in the run, as files.
///
/// ```
/// checkpoint/model.safetensors       weights and running statistics, by torchvision's names
/// checkpoint/optimiser.safetensors   momentum
/// checkpoint/model.json              how to build the model and to prepare its images
/// checkpoint/progress.json           the position in the run
/// checkpoint/memory.csv              what the replay memory held, without the images
/// checkpoint/memory.index            the same for the program, where images are kept: in a memory directory, or as pictures
/// checkpoint/pictures/images.sqlite  the images with the highest and lowest priorities, to be looked at
/// ```
struct Checkpoint {
  let card: ModelCard
  let weights: StateDictionary
  let optimiser: StateDictionary
  let progress: TrainingPosition
  let memory: MemorySnapshot?

  static let folder = "checkpoint"
  static let weightsName = "model.safetensors"
  static let indexName = "memory.index"

  func write(in folder: RunFolder) throws {
    try weights.write(to: folder.location(of: "\(Self.folder)/\(Self.weightsName)"))
    try optimiser.write(to: folder.location(of: "\(Self.folder)/optimiser.safetensors"))
    try folder.write(json: card, to: "\(Self.folder)/model.json")
    try folder.write(json: progress, to: "\(Self.folder)/progress.json")
    guard let memory else { return }
    try folder.write(MemoryTable(items: memory.items).csv, to: "\(Self.folder)/memory.csv")
    if progress.memoryRun != nil {
      let path = try folder.location(of: "\(Self.folder)/\(Self.indexName)")
      try folder.reporting { try MemoryIndex.encode(memory).write(to: URL(fileURLWithPath: path)) }
    }
  }
}
