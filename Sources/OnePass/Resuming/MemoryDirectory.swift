import Foundation
import OnePassCore
import OnePassReplay

/// The folder in which the memory of one run keeps its images.
///
/// It is nobody else's: the run's checkpoints say which images of it they mean.
struct MemoryDirectory {
  let path: String
  /// What tells the run from all others.
  let run: String
  let images: DiskImages

  /// Makes the folder of a new run.
  init(creating path: String, run: String, plan: TrainingPlan, imageBytes: Int) throws {
    guard let capacity = plan.capacity else { preconditionFailure("Only a replay memory has a folder.") }
    self.path = path
    self.run = run
    images = try DiskImages(creating: path, run: run, capacity: capacity, imageBytes: imageBytes)
    do {
      try DurableFile.synchronise(path)
      try DurableFile.synchronise(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    } catch {
      throw OnePassError(.io, "The memory directory \(path) cannot be written.", cause: error)
    }
  }

  /// Opens the folder of a run that goes on.
  init(opening path: String, run: String) throws {
    self.path = path
    self.run = run
    images = try DiskImages(opening: path, run: run)
  }

  /// Removes the images, when nothing says any more what they are.
  func remove() { DiskImages.remove(in: path) }
}
