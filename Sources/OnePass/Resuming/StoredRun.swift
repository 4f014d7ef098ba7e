import Foundation
import OnePassCore
import OnePassReplay

/// The files of a run, finished or not: its checkpoints, its ledger, and the images of its memory.
///
/// An unfinished run is locked against other processes while this object exists.
final class StoredRun {
  /// A checkpoint, or the final state of a finished run.
  struct Point {
    var folder: String
    /// The number of examples taken from the stream.
    let examples: Int
    let ledger: LedgerMark?
    /// The contents of the memory; `nil` without one, or without an index of it.
    var memory: MemorySnapshot?
    /// The rows of `memory.csv`, which have no subjects, for a finished run without an index.
    var listed: [MemoryItem] = []
    let arrivals: ArrivalLog?
    let gaps: [StreamGap]?

    /// The items of the memory, as far as they are recorded.
    var items: [MemoryItem] { memory?.items ?? listed }

    var name: String { URL(fileURLWithPath: folder).lastPathComponent }
  }

  /// The state of the run that these files are.
  enum Part { case finished, unfinished, keptState }

  let path: String
  let part: Part
  var isFinished: Bool { part == .finished }
  /// Whether another process has the run, and may change its files.
  let isTraining: Bool
  let configuration: RunConfiguration
  let plan: TrainingPlan
  let classNames: [String]?
  /// The oldest first.
  var points: [Point]
  /// Where the parts of the memory outside of the folder are.
  let location: MemoryLocation
  /// The images of a memory on disk.
  let diskImages: DiskImages?
  /// The images of an unfinished run's checkpoints; with a memory on disk, only those evicted from it.
  let archive: ImageArchive?
  /// The few images that a finished run keeps, opened for reading.
  private let pictures: ImageArchive?
  /// The checkpoints of an unfinished run or of a kept state.
  let checkpoints: UnfinishedRun?

  /// - Parameters:
  ///   - path: The folder of the run.
  ///   - location: Where the memory on disk and the key file are, if they were moved.
  ///   - isKeptState: Whether to open the ``KeptState`` of a finished run instead of the run itself.
  ///   - isReading: Whether a run that trains is read as of its last checkpoint, without a lock. Only then can images be read
  ///     that are encrypted.
  /// - Throws: `OnePassError`: `io` if there is no run, `badData` if it is damaged, `usage` if another process is using it.
  init(
    _ path: String, at location: MemoryLocation = .init(), keptState isKeptState: Bool = false,
    reading isReading: Bool = false
  ) throws {
    self.path = path
    let memoryRun: String?
    let keys: MemoryKeys?
    if !isKeptState, FileManager.default.fileExists(atPath: "\(path)/result.json") {
      UnfinishedRun.removeLeftovers(ofFinishedRunIn: path)
      guard !FileManager.default.fileExists(atPath: "\(path)/\(UnfinishedRun.folderName)") else {
        throw OnePassError.leftoversNotRemoved("\(path)/\(UnfinishedRun.folderName)")
      }
      let files = try RunFiles(path)
      let result = try RunFiles.result(in: path)
      let position = try files.position()
      part = .finished
      isTraining = false
      (checkpoints, archive) = (nil, nil)
      self.location = location.completed(by: result.configuration.memory)
      keys = try isReading ? self.location.readKeys() : nil
      pictures = try KeptPictures.reading(in: files.checkpoint, keys)
      (configuration, plan, classNames) = (
        result.configuration, result.plan, result.configuration.data.classNames
      )
      memoryRun = position.memoryRun
      let memory =
        memoryRun == nil && pictures == nil
        ? nil : try Self.index(at: files.path(of: Checkpoint.indexName))
      points = [
        Point(
          folder: files.checkpoint, examples: position.examplesSeen, ledger: position.ledger,
          memory: memory, listed: try memory == nil ? MemoryTable.ifPresent(in: files)?.items ?? [] : [],
          arrivals: position.arrivals, gaps: position.gaps)
      ]
    } else {
      let unfinished = UnfinishedRun(
        in: path, kept: .max, folder: isKeptState ? KeptState.folderName : UnfinishedRun.folderName)
      guard try unfinished.hasCheckpoint else { throw OnePassError.noRun(in: path) }
      isTraining = try !unfinished.openIfFree()
      guard !isTraining || isReading else { throw OnePassError.runInUse(path) }
      let saved =
        try isTraining ? [UnfinishedRun.lastCheckpoint(of: path)].compactMap(\.self) : unfinished.inspect()
      guard let last = saved.last else { throw OnePassError.checkpointsRemoved(from: path) }
      part = isKeptState ? .keptState : .unfinished
      self.location = location.completed(by: last.state.configuration.memory)
      keys = try isReading ? self.location.readKeys() : nil
      (configuration, plan, classNames) = (
        last.state.configuration, last.state.plan, last.state.card.classNames
      )
      memoryRun = last.state.memoryRun
      points = saved.map {
        Point(
          folder: $0.folder.path, examples: $0.state.examplesTaken, ledger: $0.state.ledger,
          memory: $0.memory,
          arrivals: $0.state.loop.incoming.arrivals, gaps: $0.state.continuation?.gaps)
      }
      archive =
        if !ImageArchive.exists(in: unfinished.path) {
          nil
        } else if isTraining {
          try ImageArchive(reading: unfinished.path, keys: keys)
        } else {
          try ImageArchive(folder: unfinished.path, imageBytes: 0, keys: keys)
        }
      (checkpoints, pictures) = (unfinished, nil)
    }
    let directory = self.location.directory
    diskImages =
      try isTraining
      ? nil
      : memoryRun.map { run in
        guard let directory else { throw OnePassError.memoryDirectoryRequired }
        return try DiskImages(opening: directory, run: run, keys: keys)
      }
  }

  private static func index(at path: String) throws -> MemorySnapshot {
    do { return try MemoryIndex.decode(Data(contentsOf: URL(fileURLWithPath: path)), path: path) } catch let
      error as OnePassError
    { throw error } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
  }

  /// The folder of the ledger and the subject log.
  var logFolder: String { part == .unfinished ? "\(path)/\(UnfinishedRun.folderName)" : path }

  /// Checks that key files are those of the images, as far as there are images.
  /// - Throws: `OnePassError` (`usage`) if they are not.
  func checkKeys(_ keys: MemoryKeys) throws {
    for archive in [archive, pictures].compactMap(\.self) { try archive.check(keys) }
    try diskImages?.check(keys)
  }

  /// The image of an item; `nil` if it is not among the few that a finished run keeps.
  /// - Throws: `OnePassError` (`badData`) if it is damaged, or missing in an unfinished run.
  func image(id: Int) throws -> EncodedImage? {
    if let archive, try archive.contains(id: id) { return try archive.image(id: id) }
    if let diskImages { return try diskImages.image(id: id) }
    guard isFinished || isTraining else { throw OnePassError.imageMissing(in: path, example: id) }
    return try pictures.flatMap { try $0.contains(id: id) ? $0.image(id: id) : nil }
  }
}
