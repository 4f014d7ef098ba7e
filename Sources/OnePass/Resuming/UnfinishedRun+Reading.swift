import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch

// Reading checkpoints without changing or locking anything.
extension UnfinishedRun {
  /// The state and the memory index of a checkpoint.
  struct Contents {
    let folder: CheckpointFolder
    let state: RunState
    let memory: MemorySnapshot?

    /// The weights that the run would have if it ended here: their moving average, if it has one.
    /// - Throws: `OnePassError` if a file cannot be read.
    func trainedWeights() throws -> StateDictionary {
      let optimiser = try StateDictionary(safetensors: folder.path(of: Checkpoint.optimiserName))
      return try Learner.average(in: optimiser)
        ?? StateDictionary(safetensors: folder.path(of: Checkpoint.weightsName))
    }
  }

  /// Reads all checkpoints, the oldest first, and changes nothing.
  /// - Throws: `OnePassError` (`badData`) if one is damaged.
  func inspect() throws -> [Contents] { try Self.checkpoints(in: path).map(Self.contents) }

  /// Reads the last checkpoint of an unfinished run, which may be training and may replace the checkpoint meanwhile.
  /// - Parameter output: The folder of the run.
  /// - Returns: `nil` if the run is finished, or was never saved.
  /// - Throws: `OnePassError` (`badData`) if it is damaged.
  static func lastCheckpoint(of output: String) throws -> Contents? {
    guard !FileManager.default.fileExists(atPath: "\(output)/result.json"), try hasCheckpoint(in: output)
    else { return nil }
    var tried: String?
    while true {
      guard let last = try checkpoints(in: "\(output)/\(folderName)").last else {
        throw OnePassError.checkpointsRemoved(from: output)
      }
      do { return try contents(of: last) } catch let error as OnePassError
        where error.code == .badData && last.name != tried
      { tried = last.name }
    }
  }

  /// The options of the last checkpoint of a run; `nil` if there is none.
  static func configuration(savedIn output: String) throws -> RunConfiguration? {
    try checkpoints(in: "\(output)/\(folderName)").last.map { try decode($0).configuration }
  }

  static func contents(of checkpoint: CheckpointFolder) throws -> Contents {
    try checkpoint.verify()
    let index = checkpoint.path(of: Checkpoint.indexName)
    let data = FileManager.default.contents(atPath: index)
    return Contents(
      folder: checkpoint, state: try decode(checkpoint),
      memory: try data.map { try MemoryIndex.decode($0, path: index) })
  }

  static func decode(_ checkpoint: CheckpointFolder) throws -> RunState {
    let path = checkpoint.path(of: RunState.fileName)
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let origin = try JSONDecoder().decode(CheckpointOrigin.self, from: data)
      guard origin.format == RunState.currentFormat else {
        throw OnePassError.checkpointOfOtherVersion(
          checkpoint.path, written: origin.version, running: onePassVersion)
      }
      return try JSONDecoder().decode(RunState.self, from: data)
    } catch let error as OnePassError { throw error } catch {
      throw OnePassError.damagedFile(path, cause: error)
    }
  }
}
