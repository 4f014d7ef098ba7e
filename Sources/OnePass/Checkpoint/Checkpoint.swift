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
}

/// A model with its optimiser and its place in the run, as files.
///
/// ```
/// checkpoint/model.safetensors       weights and running statistics, by torchvision's names
/// checkpoint/optimiser.safetensors   momentum
/// checkpoint/model.json              how to build the model and to prepare its images
/// checkpoint/progress.json           the position in the run
/// checkpoint/memory.csv              what the replay memory held, without the images
/// ```
struct Checkpoint {
  let card: ModelCard
  let weights: StateDictionary
  let optimiser: StateDictionary
  let progress: TrainingPosition
  let memory: [MemoryItem]?

  static let folder = "checkpoint"

  func write(in folder: RunFolder) throws {
    try weights.write(to: folder.location(of: "\(Self.folder)/model.safetensors"))
    try optimiser.write(to: folder.location(of: "\(Self.folder)/optimiser.safetensors"))
    try folder.write(json: card, to: "\(Self.folder)/model.json")
    try folder.write(json: progress, to: "\(Self.folder)/progress.json")
    if let memory { try folder.write(MemoryTable(items: memory).csv, to: "\(Self.folder)/memory.csv") }
  }
}
