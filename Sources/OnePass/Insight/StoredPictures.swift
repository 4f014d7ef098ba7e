import Foundation
import OnePassCore
import OnePassReplay

/// The images of a stored memory, as far as there are any; opened to be read, without keeping anybody out.
package struct StoredPictures {
  /// Where they lie; the first that has an image counts.
  private let archives: [ImageArchive]
  /// Whether there may be an image of each item, and not only of a few.
  package let areComplete: Bool
  /// Why there are none, in a sentence.
  package let absence: String?

  private init(_ areComplete: Bool, _ open: () throws -> [ImageArchive]) {
    self.areComplete = areComplete
    do { (archives, absence) = (try open(), nil) } catch { (archives, absence) = ([], "\(error)") }
  }

  /// Those of a run that keeps its memory in RAM and is not finished.
  init(archive folder: String) {
    self.init(true) {
      ImageArchive.exists(in: folder) ? [try ImageArchive(reading: folder)].compactMap(\.self) : []
    }
  }

  /// Those of a memory directory, and what it has given up since the last checkpoint of a run that is not finished.
  init(_ run: String, at directory: String?, archive folder: String? = nil) {
    self.init(true) {
      guard let directory else {
        throw OnePassError(.usage, "The run has its memory on disk: say with --memory-directory where it is.")
      }
      let given = try folder.flatMap { ImageArchive.exists(in: $0) ? try ImageArchive(reading: $0) : nil }
      return [given, try DiskImages.reading(directory, of: run)].compactMap(\.self)
    }
  }

  /// The few that a finished run keeps.
  init(keptIn checkpoint: String, _ configuration: RunConfiguration?) {
    self.init(false) {
      if let archive = try KeptPictures.reading(in: checkpoint) { return [archive] }
      let reason =
        switch configuration {
        case let run? where run.memory.timeToLive != nil:
          "a run with --time-to-live keeps no copies that would outlive it"
        case let run? where run.memory.keepPictures > 0: "they were removed"
        default: "it was trained without --keep-pictures N"
        }
      throw OnePassError(.io, "The run has no pictures of its memory: \(reason).")
    }
  }

  /// The image of an item; `nil` if it is not here.
  /// - Throws: `OnePassError` (`badData`) if it is damaged.
  package func image(id: Int) throws -> EncodedImage? {
    for archive in archives where try archive.contains(id: id) { return try archive.image(id: id) }
    return nil
  }
}
