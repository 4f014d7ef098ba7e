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
    func parts(_ path: String) -> [String] {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().pathComponents
    }
    let own = [UnfinishedRun.folderName, Checkpoint.folder, KeptState.folderName, EventFolder.name]
    let (memory, run) = (parts(path), parts(output))
    guard memory.starts(with: run), memory.count == run.count || own.contains(memory[run.count]) else {
      return
    }
    throw OnePassError.memoryDirectoryInOutput(path, output: output)
  }

  /// Creates the folder of a new run.
  init(creating path: String, run: String, plan: TrainingPlan, imageBytes: Int) throws {
    guard let capacity = plan.capacity else {
      preconditionFailure("A memory directory requires a replay memory.")
    }
    self.path = path
    self.run = run
    images = try DiskImages(creating: path, run: run, capacity: capacity, imageBytes: imageBytes)
    do {
      try DurableFile.synchronise(path)
      try DurableFile.synchronise(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    } catch {
      throw OnePassError.unwritableFile("--memory-directory \(path)", cause: error)
    }
  }

  /// Opens the folder of a resumed run.
  init(opening path: String, run: String) throws {
    self.path = path
    self.run = run
    images = try DiskImages(opening: path, run: run)
  }

  /// Removes the images of a run without checkpoints.
  func remove() { DiskImages.remove(in: path) }
}
