import Foundation
import OnePassCore

/// The images of a replay memory on disk.
///
/// The file has the images of the memory. Its size never exceeds the bound that was computed for each image, including its
/// write-ahead log, which is emptied before it exceeds its limit.
///
/// Between checkpoints the file is ahead of the last checkpoint. Images that the memory removes and a checkpoint still needs are
/// therefore first stored durably in an archive that belongs to the checkpoints; see ``protect(_:in:)``. Used on one thread.
///
/// ```swift
/// let images = try DiskImages(
///   creating: "/data/memory", run: "first", capacity: .examples(6_000), imageBytes: 110_000)
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1, store: images)
/// try memory.offer(example, loss: 2.3, priority: 0.9)
/// try images.makeDurable()
/// ```
public final class DiskImages: ImageStore {
  /// The folder of the file.
  public let directory: String
  private let archive: ImageArchive
  /// The maximum size of the log, in bytes.
  private let logLimit: Int
  /// The maximum number of bytes that uncommitted changes add to the log.
  private var pendingLogBytes = 0
  private var isChanging = false

  /// The images that checkpoints need, and the archive to which they are moved before removal.
  private var protected: (ids: Set<Int>, archive: ImageArchive)?
  private var hasRescued = false

  private enum Note { static let (run, log) = ("run", "log") }

  /// Creates the folder and the file of a new memory.
  /// - Parameters:
  ///   - directory: The folder, which must not contain a memory yet.
  ///   - run: An identifier of the run to which the memory belongs.
  ///   - capacity: The capacity of the memory, which determines the limit of the log.
  ///   - imageBytes: The size of a typical image, in bytes.
  ///   - keys: The keys with which images are encrypted; `nil` to store them as they are.
  /// - Throws: `OnePassError`: `usage` if there is a memory already, or another process uses it; `io` if the folder cannot be
  ///   written.
  public init(
    creating directory: String, run: String, capacity: ReplayMemory.Capacity, imageBytes: Int,
    keys: MemoryKeys? = nil
  ) throws {
    self.directory = directory
    archive = try ImageArchive(folder: directory, imageBytes: imageBytes)
    // A file without a run was interrupted while it was created, and is empty.
    guard try archive.note(Note.run) == nil, try archive.ids.isEmpty else {
      throw Self.occupied(directory)
    }
    if let keys { try archive.use(keys) }
    // Emptying the log waits for the disk. A capacity in examples has no byte limit, so the log can be larger.
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
      // The file may already name the run, which cannot be resumed.
      Self.remove(in: directory)
      throw error
    }
  }

  /// Opens the memory of a resumed run.
  /// - Parameters:
  ///   - directory: The folder of the memory.
  ///   - run: The identifier of the run.
  ///   - keys: The keys of an encrypted memory. Without them, images can be removed, but not read or inserted.
  /// - Throws: `OnePassError`: `usage` if there is none, if it belongs to another run or has other keys, or if another process
  ///   uses it; `badData` if it is damaged.
  public init(opening directory: String, run: String, keys: MemoryKeys? = nil) throws {
    guard Self.exists(in: directory) else { throw OnePassError.directoryWithoutMemory(directory) }
    self.directory = directory
    archive = try ImageArchive(folder: directory, imageBytes: 0)
    guard try archive.note(Note.run) == run, let limit = try archive.note(Note.log).flatMap(Int.init) else {
      throw OnePassError.directoryOfOtherRun(directory)
    }
    if let keys { try archive.use(keys) }
    logLimit = limit
    // A log left by a process would add to the new one. Its changes can be kept, since images that a checkpoint needs were
    // archived before they were removed.
    try archive.makeDurable()
  }

  /// Returns the error for a new memory in a folder that already has one.
  public static func occupied(_ directory: String) -> OnePassError { .directoryOccupied(directory) }

  /// Returns the run to which the memory in a folder belongs; `nil` if there is no memory.
  /// - Throws: `OnePassError`: `usage` if another process uses it, `badData` if it is damaged.
  public static func run(in directory: String) throws -> String? {
    // An empty file was interrupted while it was created.
    let file = "\(directory)/\(ImageArchive.fileName)"
    let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? NSNumber
    guard let size, size.intValue > 0 else { return nil }
    return try ImageArchive(folder: directory, imageBytes: 0).note(Note.run)
  }

  /// Opens the images of a memory for reading, even while its run uses them; `nil` if there are none yet.
  /// - Throws: `OnePassError`: `usage` if it belongs to another run, `io` if there is none or it cannot be read, `badData` if
  ///   it is damaged.
  package static func reading(_ directory: String, of run: String, keys: MemoryKeys?) throws -> ImageArchive?
  {
    guard exists(in: directory) else { throw OnePassError.noMemoryToRead(in: directory) }
    guard let archive = try ImageArchive(reading: directory) else { return nil }
    guard try archive.note(Note.run) == run else { throw OnePassError.directoryOfOtherRun(directory) }
    if let keys { try archive.use(keys) }
    return archive
  }

  /// Returns whether a folder contains a memory.
  public static func exists(in directory: String) -> Bool {
    ImageArchive.exists(in: directory)
  }

  /// Removes the memory in a folder, and the folder if it is then empty.
  public static func remove(in directory: String) {
    let files = FileManager.default
    ImageArchive.erase(in: directory)
    if (try? files.contentsOfDirectory(atPath: directory))?.isEmpty == true {
      try? files.removeItem(atPath: directory)
    }
  }

  // MARK: Size on disk

  /// Returns the size of an image on disk, in bytes, in a memory for images of a typical size.
  /// - Parameters:
  ///   - bytes: The size of the encoded image.
  ///   - typical: The size of a typical image.
  ///   - isEncrypted: Whether images are encrypted.
  public static func bytes(
    forImageOf bytes: Int, amongImagesOf typical: Int, encrypted isEncrypted: Bool = false
  ) -> Int {
    let layout = PageLayout.suited(toImagesOf: typical)
    let record = ImageRecord.headerBytes + bytes + (isEncrypted ? MemoryKeys.bytesPerImage : 0)
    return layout.pages(forBlobOf: record) * layout.pageBytes + layout.treeBytesPerRow
  }

  /// Returns the size of an image on disk, in bytes, including its share of the tree.
  /// - Parameter bytes: The size of the encoded image.
  public func bytes(forImageOf bytes: Int) -> Int { archive.bytes(forImageOf: bytes) }

  /// An upper bound of the size without images, in bytes: the first pages, and the log.
  public var fixedBytes: Int { archive.fixedBytes + logLimit }

  /// Returns whether the log has room for the change of an image of this size.
  public func admits(imageOf bytes: Int) -> Bool { archive.admits(imageOf: bytes, inLogOf: logLimit) }

  /// The present size of the files, in bytes.
  public var bytesOnDisk: Int { get throws { try archive.bytesOnDisk } }

  // MARK: Images

  public func image(id: Int, imageBytes: Int) throws -> EncodedImage { try archive.image(id: id) }

  package func image(id: Int) throws -> EncodedImage { try archive.image(id: id) }

  /// Whether the key of an image was destroyed.
  package func isForgotten(id: Int) -> Bool { archive.isForgotten(id: id) }

  /// Checks that an encrypted memory has these keys.
  /// - Throws: `OnePassError` (`usage`) if it has others.
  package func check(_ keys: MemoryKeys) throws { try archive.check(keys) }

  /// Inserts an image. It is durable after ``makeDurable()``.
  /// - Throws: `OnePassError` (`io`) if it cannot be written.
  public func insert(_ image: EncodedImage, id: Int, subject: String?) throws {
    try makeRoomInLog(forImageOf: image.byteCount)
    try archive.insert(image, id: id, subject: subject)
  }

  /// Removes an image, and overwrites its bytes.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  public func remove(id: Int, imageBytes: Int) throws {
    if let protected, protected.ids.contains(id) {
      if !hasRescued { try protected.archive.begin() }
      hasRescued = true
      // The archive may still have it from an earlier attempt, if the run was resumed from a checkpoint that needed it.
      if try !protected.archive.contains(id: id) {
        try protected.archive.insertStored(archive.storedImage(id: id), id: id)
      }
    }
    try makeRoomInLog(forImageOf: imageBytes)
    try archive.remove(id: id)
  }

  private func makeRoomInLog(forImageOf bytes: Int) throws {
    let needed = archive.logBytes(forImageOf: bytes)
    if isChanging, archive.logBytes + pendingLogBytes + needed > logLimit { try commit() }
    if !isChanging {
      // An image that exceeds the limit of the log, which only a capacity in examples permits, gets an empty log.
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

  /// Writes all changes durably.
  /// - Throws: `OnePassError` (`io`) if the files cannot be written.
  public func makeDurable() throws {
    if isChanging { try commit() }
    try archive.makeDurable()
  }

  /// Removes images durably, overwrites them, and does not archive them for checkpoints.
  /// - Throws: `OnePassError` (`io`) if the files cannot be written.
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

  /// Archives these images for checkpoints before they are removed.
  /// - Parameters:
  ///   - ids: The examples that checkpoints need.
  ///   - archive: The archive of the checkpoints.
  public func protect(_ ids: Set<Int>, in archive: ImageArchive) { protected = (ids, archive) }

  /// Restores the images of a checkpoint. The time depends on the number of changes since, not on the size of the memory.
  /// - Parameters:
  ///   - ids: The items of the checkpoint, which are protected.
  ///   - position: The number of examples taken from the stream. Later images are removed.
  /// - Throws: `OnePassError`: `io` if the files cannot be read or written, `badData` if an image is damaged.
  public func restore(_ ids: Set<Int>, position: Int) throws {
    for id in try archive.ids(from: position) {
      try remove(id: id, imageBytes: archive.recordBytes(id: id) ?? 0)
    }
    if let rescued = protected?.archive {
      for id in try rescued.ids where try ids.contains(id) && !archive.contains(id: id) {
        let image = try rescued.storedImage(id: id)
        try makeRoomInLog(forImageOf: image.byteCount)
        try archive.insertStored(image, id: id)
      }
    }
    try makeDurable()
  }
}
