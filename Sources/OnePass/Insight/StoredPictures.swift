import Foundation
import OnePassCore
import OnePassReplay

/// The available images of a stored memory, opened for reading without a lock.
package struct StoredPictures {
  /// The archives, searched in order.
  private let archives: [ImageArchive]
  /// Whether all items may have an image, and not only a few.
  package let areComplete: Bool
  /// The error message if there are no images.
  package let absence: String?

  private init(_ areComplete: Bool, _ open: () throws -> [ImageArchive]) {
    self.areComplete = areComplete
    do { (archives, absence) = (try open(), nil) } catch { (archives, absence) = ([], "\(error)") }
  }

  /// The images of an unfinished run with its memory in RAM.
  init(archive folder: String, _ location: MemoryLocation) {
    self.init(true) {
      let keys = try location.readKeys()
      return [try Self.evicted(folder, keys)].compactMap(\.self)
    }
  }

  /// The images of a memory directory, and those evicted from it since the last checkpoint of an unfinished run.
  init(_ run: String, at location: MemoryLocation, archive folder: String? = nil) {
    self.init(true) {
      guard let directory = location.directory else { throw OnePassError.memoryDirectoryRequired }
      let keys = try location.readKeys()
      return [
        try folder.flatMap { try Self.evicted($0, keys) },
        try DiskImages.reading(directory, of: run, keys: keys),
      ].compactMap(\.self)
    }
  }

  private static func evicted(_ folder: String, _ keys: MemoryKeys?) throws -> ImageArchive? {
    ImageArchive.exists(in: folder) ? try ImageArchive(reading: folder, keys: keys) : nil
  }

  /// The few images that a finished run keeps.
  init(keptIn checkpoint: String, _ configuration: RunConfiguration?, _ location: MemoryLocation) {
    self.init(false) {
      if let archive = try KeptPictures.reading(in: checkpoint, location.readKeys()) { return [archive] }
      switch configuration {
      case let run? where run.memory.timeToLive != nil:
        throw OnePassError.noKeptImages(in: checkpoint, .outlivedByTimeToLive)
      case let run? where run.memory.keepPictures > 0:
        throw OnePassError.noKeptImages(in: checkpoint, .removed)
      default: throw OnePassError.noKeptImages(in: checkpoint, .notRequested)
      }
    }
  }

  /// The image of an item; `nil` if it is not available, or its key was destroyed.
  /// - Throws: `OnePassError`: `badData` if it is damaged, `usage` if it is encrypted and there is no key file.
  package func image(id: Int) throws -> EncodedImage? {
    for archive in archives where try archive.contains(id: id) {
      return archive.isForgotten(id: id) ? nil : try archive.image(id: id)
    }
    return nil
  }
}
