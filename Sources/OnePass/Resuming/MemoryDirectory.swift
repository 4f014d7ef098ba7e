import Foundation
import OnePassCore
import OnePassReplay

/// The folder with the images of a run's memory.
///
/// It belongs to one run, whose checkpoints refer to images in it.
struct MemoryDirectory {
  let path: String
  /// The unique identifier of the run.
  let run: String
  let images: DiskImages

  /// Checks that the folder is not one of those that the run writes, renames or removes itself.
  /// - Throws: `OnePassError` (`usage`) if it is.
  static func check(_ path: String?, outside output: String) throws {
    guard let path else { return }
    let own = [UnfinishedRun.folderName, Checkpoint.folder, KeptState.folderName, EventFolder.name]
    let (memory, run) = (components(of: path), components(of: output))
    guard memory.starts(with: run), memory.count == run.count || own.contains(memory[run.count]) else {
      return
    }
    throw OnePassError.memoryDirectoryInOutput(path, output: output)
  }

  /// Checks that a key file is not in a folder whose copies would then contain the key.
  /// - Throws: `OnePassError` (`usage`) if it is.
  static func check(key: String?, outside folders: [String?]) throws {
    guard let key else { return }
    for folder in folders.compactMap(\.self) where components(of: key).starts(with: components(of: folder)) {
      throw OnePassError.memoryKeyInOutput(key, folder: folder)
    }
  }

  private static func components(of path: String) -> [String] {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().pathComponents
  }

  /// Creates the folder of a new run.
  init(creating path: String, run: String, plan: TrainingPlan, imageBytes: Int, keys: MemoryKeys?) throws {
    guard let capacity = plan.capacity else {
      preconditionFailure("A memory directory requires a replay memory.")
    }
    self.path = path
    self.run = run
    images = try DiskImages(creating: path, run: run, capacity: capacity, imageBytes: imageBytes, keys: keys)
    do {
      try DurableFile.synchronise(path)
      try DurableFile.synchronise(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    } catch {
      throw OnePassError.unwritableFile("--memory-directory \(path)", cause: error)
    }
  }

  /// Opens the folder of a resumed run.
  init(opening path: String, run: String, keys: MemoryKeys?) throws {
    self.path = path
    self.run = run
    images = try DiskImages(opening: path, run: run, keys: keys)
  }

  /// Removes the images of a run without checkpoints.
  func remove() { DiskImages.remove(in: path) }
}
