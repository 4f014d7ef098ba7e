import Foundation
import OnePassCore
import OnePassReplay

/// What is on disk of a run, finished or not: its checkpoints, its ledger, and the images of its memory.
///
/// No other process can change the run while this is held.
final class StoredRun {
  /// A state of the run that was saved.
  struct Point {
    let folder: String
    /// The examples that had been taken from the stream.
    let examples: Int
    let ledger: LedgerMark?
    /// What the memory held, where there was one and the run can still say.
    var memory: MemorySnapshot?
    let arrivals: ArrivalLog?

    var name: String { URL(fileURLWithPath: folder).lastPathComponent }
  }

  let path: String
  let isFinished: Bool
  let configuration: RunConfiguration
  let plan: TrainingPlan
  let classNames: [String]?
  /// The oldest first.
  var points: [Point]
  /// Where a memory on disk keeps its images.
  let diskImages: DiskImages?
  /// The images of the checkpoints of a run that is not finished; where the memory is on disk, those it has given up.
  let archive: ImageArchive?
  /// The few images that a finished run keeps, to be read.
  private let pictures: ImageArchive?
  private let lock: UnfinishedRun?

  /// - Parameters:
  ///   - path: The folder of the run.
  ///   - memoryDirectory: Where its memory is by now, if it has one on disk and that was moved.
  /// - Throws: `OnePassError`: `io` if there is no run, `badData` if it is damaged, `usage` if another process has it.
  init(_ path: String, memoryDirectory: String? = nil) throws {
    self.path = path
    let memoryRun: String?
    if FileManager.default.fileExists(atPath: "\(path)/result.json") {
      UnfinishedRun.removeLeftovers(ofFinishedRunIn: path)
      guard !FileManager.default.fileExists(atPath: "\(path)/\(UnfinishedRun.folderName)") else {
        throw OnePassError(
          .io,
          "The run in \(path) is finished, and what it left in \(UnfinishedRun.folderName) cannot be removed: remove it."
        )
      }
      let files = try RunFiles(path)
      let result = try RunFiles.result(in: path)
      let position = try files.position()
      isFinished = true
      (lock, archive) = (nil, nil)
      pictures = try KeptPictures.reading(in: files.path(of: ""))
      (configuration, plan, classNames) = (
        result.configuration, result.plan, result.configuration.data.classNames
      )
      memoryRun = position.memoryRun
      points = [
        Point(
          folder: files.path(of: ""), examples: position.examplesSeen, ledger: position.ledger,
          memory: memoryRun == nil && pictures == nil
            ? nil : try Self.index(at: files.path(of: Checkpoint.indexName)),
          arrivals: position.arrivals)
      ]
    } else {
      guard try UnfinishedRun.hasCheckpoint(in: path) else {
        throw OnePassError(
          .io, "\(path) holds no run: give the folder that `onepass train --output` made.")
      }
      let unfinished = UnfinishedRun(in: path, kept: .max)
      try unfinished.open()
      let saved = try unfinished.inspect()
      guard let last = saved.last else { preconditionFailure("There is a checkpoint.") }
      isFinished = false
      (configuration, plan, classNames) = (
        last.state.configuration, last.state.plan, last.state.card.classNames
      )
      memoryRun = last.state.memoryRun
      points = saved.map {
        Point(
          folder: $0.folder.path, examples: $0.state.examplesTaken, ledger: $0.state.ledger,
          memory: $0.memory,
          arrivals: $0.state.loop.incoming.arrivals)
      }
      archive =
        try ImageArchive.exists(in: unfinished.path)
        ? ImageArchive(folder: unfinished.path, imageBytes: 0) : nil
      (lock, pictures) = (unfinished, nil)
    }
    let directory = memoryDirectory ?? configuration.memory.directory
    diskImages = try memoryRun.map { run in
      guard let directory else {
        throw OnePassError(.usage, "The run has its memory on disk: say with --memory-directory where it is.")
      }
      return try DiskImages(opening: directory, run: run)
    }
  }

  private static func index(at path: String) throws -> MemorySnapshot {
    do { return try MemoryIndex.decode(Data(contentsOf: URL(fileURLWithPath: path)), path: path) } catch let
      error as OnePassError
    { throw error } catch {
      throw OnePassError(.io, "\(path) cannot be read: bring it back.", cause: error)
    }
  }

  /// Where the ledger and the subjects lie.
  var logFolder: String { isFinished ? path : "\(path)/\(UnfinishedRun.folderName)" }

  /// The image of an item, wherever it lies; `nil` if it is none of the few that a finished run keeps.
  /// - Throws: `OnePassError` (`badData`) if it is damaged, or not where it has to be.
  func image(id: Int) throws -> EncodedImage? {
    if let archive, try archive.contains(id: id) { return try archive.image(id: id) }
    if let diskImages { return try diskImages.image(id: id) }
    guard isFinished else {
      throw OnePassError(.badData, "\(path) holds no image of example \(id): restore it from a copy.")
    }
    return try pictures.flatMap { try $0.contains(id: id) ? $0.image(id: id) : nil }
  }
}
