import Foundation
import OnePassCore

/// The images of a replay memory that is kept on disk.
///
/// The file holds what the memory holds, and never takes more room than was reckoned for each, its write-ahead log
/// included: the log is emptied before it exceeds its limit.
///
/// Between two checkpoints the file runs ahead of the last one. What the memory gives up and a checkpoint still needs is
/// therefore put into an archive that belongs to the checkpoints, and is safe there before it goes here; see
/// ``protect(_:in:)``. Belongs to one thread.
public final class DiskImages: ImageStore {
  public let directory: String
  private let archive: ImageArchive
  /// The most that the log may take.
  private let logLimit: Int
  /// The most that the changes since the last commit can add to the log.
  private var pendingLogBytes = 0
  private var isChanging = false

  /// What checkpoints need, and where it is put when it goes here.
  private var protected: (ids: Set<Int>, archive: ImageArchive)?
  private var hasRescued = false

  private enum Note { static let (run, log) = ("run", "log") }

  /// Makes the folder and the file of a new memory.
  /// - Parameters:
  ///   - directory: Must not hold a memory yet.
  ///   - run: What tells the run to which the memory belongs from all others.
  ///   - capacity: The budget of the memory, by which the log is measured.
  ///   - imageBytes: The size of a typical image.
  /// - Throws: `OnePassError`: `usage` if there is a memory already, or another process has it; `io` if nothing can be
  ///   written there.
  public init(
    creating directory: String, run: String, capacity: ReplayMemory.Capacity, imageBytes: Int
  ) throws {
    self.directory = directory
    archive = try ImageArchive(folder: directory, imageBytes: imageBytes)
    // One that names no run was broken off while it was made, and holds nothing.
    guard try archive.note(Note.run) == nil, try archive.ids.isEmpty else {
      throw Self.occupied(directory)
    }
    // Emptying the log waits for the disk; a budget that promises no bytes allows it to be rare even for a few images.
    let (budget, least) =
      switch capacity {
      case .bytes(let bytes): (bytes, 0)
      case .examples(let count): (count * archive.bytes(forImageOf: imageBytes), 1 << 20)
      }
    logLimit = min(
      max(budget / 8, least, archive.smallestLogLimit(forImagesOf: imageBytes)), ImageArchive.cacheBytes / 2)
    do {
      try archive.transaction {
        try archive.setNote(Note.run, to: run)
        try archive.setNote(Note.log, to: "\(logLimit)")
      }
      try archive.makeDurable()
    } catch {
      // It may name the run by now, which nobody would go on with.
      Self.remove(in: directory)
      throw error
    }
  }

  /// Opens the memory of a run that goes on.
  /// - Throws: `OnePassError`: `usage` if there is none, if it is another run's, or if another process has it;
  ///   `badData` if it is damaged.
  public init(opening directory: String, run: String) throws {
    guard Self.exists(in: directory) else {
      throw OnePassError(
        .usage,
        "The memory directory \(directory) holds no memory, and the run has one on disk: bring it back, or begin anew."
      )
    }
    self.directory = directory
    archive = try ImageArchive(folder: directory, imageBytes: 0)
    guard try archive.note(Note.run) == run, let limit = try archive.note(Note.log).flatMap(Int.init) else {
      throw OnePassError(
        .usage,
        "The memory directory \(directory) belongs to another run: give the one that this run began with.")
    }
    logLimit = limit
    // What a process left in the log would come on top of what is still to come. It is safe to keep: what a checkpoint
    // needs was put aside before it went here.
    try archive.makeDurable()
  }

  /// The refusal to make a memory in a folder that has one.
  public static func occupied(_ directory: String) -> OnePassError {
    OnePassError(
      .usage,
      "The memory directory \(directory) already holds the memory of a run: go on with --resume, choose another "
        + "folder, or remove it.")
  }

  /// The run to which the memory in a folder belongs; `nil` if there is none.
  /// - Throws: `OnePassError`: `usage` if another process has it, `badData` if it is damaged.
  public static func run(in directory: String) throws -> String? {
    // A file without a byte was only just being made.
    let file = "\(directory)/\(ImageArchive.fileName)"
    let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? NSNumber
    guard let size, size.intValue > 0 else { return nil }
    return try ImageArchive(folder: directory, imageBytes: 0).note(Note.run)
  }

  /// The images of the memory in a folder as they stand, to be read only, whether or not its run has it open; `nil` if there
  /// are none yet.
  /// - Throws: `OnePassError`: `usage` if it is another run's, `io` if there is none or it cannot be read, `badData` if it
  ///   is damaged.
  package static func reading(_ directory: String, of run: String) throws -> ImageArchive? {
    guard exists(in: directory) else {
      throw OnePassError(
        .io, "The memory directory \(directory) holds no memory: say with --memory-directory where it is.")
    }
    guard let archive = try ImageArchive(reading: directory) else { return nil }
    guard try archive.note(Note.run) == run else {
      throw OnePassError(
        .usage,
        "The memory directory \(directory) belongs to another run: say with --memory-directory which is its.")
    }
    return archive
  }

  /// Whether a folder holds a memory.
  public static func exists(in directory: String) -> Bool {
    ImageArchive.exists(in: directory)
  }

  /// Removes the memory that a folder holds; the folder too, if nothing else is in it.
  public static func remove(in directory: String) {
    let files = FileManager.default
    for suffix in ["", "-wal", "-shm", "-journal"] {
      try? files.removeItem(atPath: "\(directory)/\(ImageArchive.fileName)\(suffix)")
    }
    if (try? files.contentsOfDirectory(atPath: directory))?.isEmpty == true {
      try? files.removeItem(atPath: directory)
    }
  }

  // MARK: Room

  /// What an image would take in a memory that is made for images of a typical size, in bytes.
  public static func bytes(forImageOf bytes: Int, amongImagesOf typical: Int) -> Int {
    let layout = PageLayout.suited(toImagesOf: typical)
    return layout.pages(forBlobOf: ImageRecord.headerBytes + bytes) * layout.pageBytes
      + layout.treeBytesPerRow
  }

  /// What an image of so many bytes takes.
  public func bytes(forImageOf bytes: Int) -> Int { archive.bytes(forImageOf: bytes) }

  /// What is taken without any image, at most: the first pages, and the log.
  public var fixedBytes: Int { archive.fixedBytes + logLimit }

  /// Whether the log can take the change of an image.
  public func admits(imageOf bytes: Int) -> Bool { archive.admits(imageOf: bytes, inLogOf: logLimit) }

  /// What the files take now, as the store and the file system count it.
  public var bytesOnDisk: Int { get throws { try archive.bytesOnDisk } }

  // MARK: Images

  public func image(id: Int, imageBytes: Int) throws -> EncodedImage { try archive.image(id: id) }

  package func image(id: Int) throws -> EncodedImage { try archive.image(id: id) }

  public func insert(_ image: EncodedImage, id: Int) throws {
    try makeRoomInLog(forImageOf: image.byteCount)
    try archive.insert(image, id: id)
  }

  /// Removes an image of so many bytes and overwrites it.
  public func remove(id: Int, imageBytes: Int) throws {
    if let protected, protected.ids.contains(id) {
      if !hasRescued { try protected.archive.begin() }
      hasRescued = true
      // It may be there since the run went on from a checkpoint that needed it.
      if try !protected.archive.contains(id: id) {
        try protected.archive.insert(archive.image(id: id), id: id)
      }
    }
    try makeRoomInLog(forImageOf: imageBytes)
    try archive.remove(id: id)
  }

  private func makeRoomInLog(forImageOf bytes: Int) throws {
    let needed = archive.logBytes(forImageOf: bytes)
    if isChanging, archive.logBytes + pendingLogBytes + needed > logLimit { try commit() }
    if !isChanging {
      // An image beyond what the log admits, which only a budget in examples allows, has the log for itself.
      if archive.logBytes + needed > logLimit { try archive.makeDurable() }
      try archive.begin()
      isChanging = true
    }
    pendingLogBytes += needed
  }

  private func commit() throws {
    if hasRescued, let protected {
      try protected.archive.commit()
      try protected.archive.makeDurable()
      hasRescued = false
    }
    try archive.commit()
    (isChanging, pendingLogBytes) = (false, 0)
  }

  /// Makes every change safe from a power cut.
  /// - Throws: `OnePassError` (`io`).
  public func makeDurable() throws {
    if isChanging { try commit() }
    try archive.makeDurable()
  }

  /// Overwrites images that have to be forgotten, on the disk too, and keeps them nowhere else.
  /// - Throws: `OnePassError` (`io`).
  public func scrub(_ ids: Set<Int>) throws {
    protected?.ids.subtract(ids)
    for id in ids {
      guard let bytes = try archive.recordBytes(id: id) else { continue }
      try makeRoomInLog(forImageOf: bytes)
      try archive.remove(id: id)
    }
    try makeDurable()
  }

  // MARK: Checkpoints

  /// From now on, what checkpoints need is put into their archive before it goes here.
  public func protect(_ ids: Set<Int>, in archive: ImageArchive) { protected = (ids, archive) }

  /// Holds again what it held when a checkpoint was made. Costs what has changed since, not what is held.
  /// - Parameters:
  ///   - ids: The items of the checkpoint, which are protected.
  ///   - position: The examples that had been taken from the stream; what came later goes.
  public func restore(_ ids: Set<Int>, position: Int) throws {
    for id in try archive.ids(from: position) {
      try remove(id: id, imageBytes: archive.recordBytes(id: id) ?? 0)
    }
    if let rescued = protected?.archive {
      for id in try rescued.ids where try ids.contains(id) && !archive.contains(id: id) {
        try insert(rescued.image(id: id), id: id)
      }
    }
    try makeDurable()
  }
}
