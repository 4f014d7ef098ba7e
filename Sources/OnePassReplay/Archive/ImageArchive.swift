import Foundation
import OnePassCore

/// Images on disk, each under its position in the stream: one SQLite file, which survives a crash at any instant.
///
/// ```swift
/// let archive = try ImageArchive(folder: "runs/first/memory", imageBytes: 110_000)
/// try archive.transaction {
///   try archive.insert(example.image, id: example.id)
///   try archive.remove(id: 17)
/// }
/// let image = try archive.image(id: example.id)
/// ```
///
/// Changes become visible on disk together, at the end of a transaction; ``makeDurable()`` makes them safe from a
/// power cut. What is removed is overwritten. A second process is refused. Belongs to one thread.
///
/// An image takes whole pages, so that the room that it needs is known before it is written.
///
/// SQLite was chosen among LMDB, RocksDB and itself by measuring: `Benchmarks/stores/README.md`.
public final class ImageArchive {
  /// The name of the file in its folder.
  public static let fileName = "images.sqlite"

  public let path: String
  private let database: SQLiteDatabase
  private let insertion: SQLiteStatement
  private let removal: SQLiteStatement
  private let reader: SQLiteBlobReader
  private let layout: PageLayout
  private var partBytesPending = 0
  /// What the file system calls the file, by which it is known again.
  private let file: FileIdentity?

  /// What marks a file as one of ours: "OPIA".
  private static let applicationID = 0x4F50_4941
  private static let formatVersion = 2

  /// Opens the archive of a folder, or makes both.
  /// - Parameters:
  ///   - folder: Where the file lies.
  ///   - imageBytes: The size of a typical image, for whose sake a file that is made new gets its page size.
  /// - Throws: `OnePassError`: `io` if it cannot be opened or made, `usage` if another process has it, `badData` if it
  ///   is damaged or something else.
  public convenience init(folder: String, imageBytes: Int) throws {
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw OnePassError(.io, "The folder \(folder) cannot be made: choose another.", cause: error)
    }
    let database = try SQLiteDatabase(path: "\(folder)/\(Self.fileName)")
    // Held by one process, so that no shared memory is needed beside the log.
    try database.run("PRAGMA locking_mode = EXCLUSIVE")
    try database.run("PRAGMA page_size = \(PageLayout.suited(toImagesOf: imageBytes).pageBytes)")
    try database.run("PRAGMA journal_mode = WAL")
    // The log is synchronised by makeDurable; without it a power cut loses the last transactions, never an earlier one.
    try database.run("PRAGMA synchronous = NORMAL")
    try database.run("PRAGMA secure_delete = ON")
    try database.run("PRAGMA cache_size = -\(Self.cacheBytes / 1_024)")
    // What is not committed stays in the cache, so that the log holds each changed page once.
    try database.run("PRAGMA cache_spill = OFF")
    database.countLogFrames()
    try Self.makeOrCheckTables(database)
    try self.init(database)
  }

  /// Opens the archive of a folder as it stands, to be read only: no lock is taken and no file is changed.
  ///
  /// A process that writes meanwhile goes on. What it has not made durable is not seen; what it is just changing may be
  /// missing, or be found damaged, but is never another image: each has its checksum.
  /// - Parameter folder: Where the file lies.
  /// - Throws: `OnePassError`: `io` if it cannot be opened, `badData` if it is damaged or something else.
  /// - Returns: `nil` if it was only just made, and holds nothing yet.
  public convenience init?(reading folder: String) throws {
    let database = try SQLiteDatabase(reading: "\(folder)/\(Self.fileName)")
    if try Self.isEmpty(database) { return nil }
    try Self.check(database)
    try self.init(database)
  }

  private init(_ database: SQLiteDatabase) throws {
    self.database = database
    path = database.path
    file = FileIdentity(path: path)
    layout = PageLayout(pageBytes: try database.integer("PRAGMA page_size"))
    insertion = try SQLiteStatement("INSERT INTO images VALUES(?, ?)", in: database)
    removal = try SQLiteStatement("DELETE FROM images WHERE id = ?", in: database)
    reader = SQLiteBlobReader(table: "images", column: "record", in: database)
  }

  static let cacheBytes = 64 << 20

  /// Whether a folder holds an archive.
  public static func exists(in folder: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(folder)/\(fileName)")
  }

  private static func makeOrCheckTables(_ database: SQLiteDatabase) throws {
    if try isEmpty(database) {
      try database.run(
        """
        BEGIN IMMEDIATE;
        CREATE TABLE images(id INTEGER PRIMARY KEY, record BLOB NOT NULL);
        CREATE TABLE notes(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(formatVersion);
        COMMIT
        """)
      return
    }
    try check(database)
  }

  private static func isEmpty(_ database: SQLiteDatabase) throws -> Bool {
    try database.integer("SELECT count(*) FROM sqlite_schema") == 0
      && database.integer("PRAGMA application_id") == 0
  }

  private static func check(_ database: SQLiteDatabase) throws {
    let (kind, version) = (
      try database.integer("PRAGMA application_id"), try database.integer("PRAGMA user_version")
    )
    guard kind == applicationID else {
      throw OnePassError(
        .badData, "\(database.path) is a database of something else: choose another folder.")
    }
    guard version == formatVersion else {
      throw OnePassError(
        .badData,
        "\(database.path) has the format \(version), and this onepass reads \(formatVersion): use the onepass that made it."
      )
    }
  }

  // MARK: Contents

  /// The number of images.
  public var count: Int { get throws { try database.integer("SELECT count(*) FROM images") } }

  /// The positions of all images, in order.
  public var ids: [Int] {
    get throws {
      let statement = try SQLiteStatement("SELECT id FROM images ORDER BY id", in: database)
      var ids: [Int] = []
      while try statement.step() { ids.append(statement.integer(0)) }
      return ids
    }
  }

  /// The positions of the images from `first` on, in order; the others are not read.
  func ids(from first: Int) throws -> [Int] {
    let statement = try SQLiteStatement("SELECT id FROM images WHERE id >= ? ORDER BY id", in: database)
    try statement.bind([first])
    var ids: [Int] = []
    while try statement.step() { ids.append(statement.integer(0)) }
    return ids
  }

  /// Whether there is an image at a position.
  public func contains(id: Int) throws -> Bool { try recordBytes(id: id) != nil }

  /// The size of an image's record; `nil` if there is none.
  func recordBytes(id: Int) throws -> Int? { try reader.seek(id) }

  /// The image at a position of the stream.
  /// - Throws: `OnePassError`: `badData` if there is none, or if it is not what was put there; `io` if it cannot be read.
  public func image(id: Int) throws -> EncodedImage {
    guard let size = try reader.seek(id) else {
      throw OnePassError(
        .badData, "\(path) is damaged: it holds no image of example \(id).")
    }
    guard let image = try ImageRecord.read(size: size, id: id, with: reader.read) else {
      throw OnePassError(
        .badData,
        "\(path) is damaged: the image of example \(id) is not what was put there. Restore it from a copy, or "
          + "give the example up with `onepass memory forget --position \(id)`."
      )
    }
    return image
  }

  /// A short text that goes with the images.
  func note(_ name: String) throws -> String? {
    let statement = try SQLiteStatement("SELECT value FROM notes WHERE name = ?", in: database)
    return try statement.withBlob(Array(name.utf8), at: 1, as: .text) {
      guard try statement.step() else { return nil }
      defer { statement.reset() }
      return statement.text(0)
    }
  }

  func setNote(_ name: String, to value: String) throws {
    let statement = try SQLiteStatement("INSERT OR REPLACE INTO notes VALUES(?, ?)", in: database)
    try statement.withBlob(Array(name.utf8), at: 1, as: .text) {
      _ = try statement.withBlob(Array(value.utf8), at: 2, as: .text) { try statement.step() }
    }
  }

  // MARK: Room

  /// The room that the files take on disk now, as the store and the file system count it: pages and log.
  public var bytesOnDisk: Int {
    get throws {
      let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)-wal")
      let log = (attributes?[.size] as? NSNumber)?.intValue ?? 0
      return try database.integer("PRAGMA page_count") * layout.pageBytes + log
    }
  }

  /// What an image of so many bytes takes in the file: its whole pages, and its share of the tree above them, at most.
  func bytes(forImageOf bytes: Int) -> Int {
    pages(forImageOf: bytes) * layout.pageBytes + layout.treeBytesPerRow
  }

  private func pages(forImageOf bytes: Int) -> Int {
    layout.pages(forBlobOf: ImageRecord.headerBytes + bytes)
  }

  /// What the file takes without any image, at most.
  var fixedBytes: Int { PageLayout.fixedPages * layout.pageBytes }

  /// What is in the log.
  var logBytes: Int { Self.logHeaderBytes + database.logFrames * logFrameBytes }

  /// What the log takes for a change of an image of so many bytes, at most: its pages, and those of the tree.
  func logBytes(forImageOf bytes: Int) -> Int {
    (pages(forImageOf: bytes) + Self.treePagesPerChange) * logFrameBytes
  }

  /// The smallest limit to which a log can be held with images of so many bytes, and with such as are twice as large.
  func smallestLogLimit(forImagesOf bytes: Int) -> Int {
    Self.logHeaderBytes + 2 * logBytes(forImageOf: 2 * bytes)
  }

  /// Whether a log of so many bytes can take the change of an image.
  func admits(imageOf bytes: Int, inLogOf limit: Int) -> Bool {
    Self.logHeaderBytes + logBytes(forImageOf: bytes) <= limit
  }

  private var logFrameBytes: Int { layout.pageBytes + 24 }
  private static let logHeaderBytes = 32
  /// At each of up to five levels a page and its two neighbours, and a new root; the first page; two that list free ones.
  private static let treePagesPerChange = 20

  // MARK: Changes

  /// Makes the changes in `body` together: all of them, or none if it throws.
  public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try database.run("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try database.run("COMMIT")
      return result
    } catch {
      // After some failures, as of a full disk, SQLite has already taken the changes back.
      try? database.run("ROLLBACK")
      throw error
    }
  }

  /// Begins a transaction that a later call ends.
  func begin() throws { try database.run("BEGIN IMMEDIATE") }

  func commit() throws { try database.run("COMMIT") }

  /// Adds an image.
  /// - Throws: `OnePassError`: `badData` if there is already one at this position, `io` if it cannot be written.
  public func insert(_ image: EncodedImage, id: Int) throws {
    let size = layout.paddedBytes(forBlobOf: ImageRecord.headerBytes + image.byteCount)
    try insertion.bind([id])
    _ = try insertion.withBlob(ImageRecord.encode(image, id: id, padded: size), at: 2) {
      try insertion.step()
    }
  }

  /// Removes an image and overwrites its bytes. Does nothing if there is none.
  public func remove(id: Int) throws {
    try removal.bind([id])
    _ = try removal.step()
  }

  /// The most that the parts of a long change leave uncommitted, and thus in RAM and in the log.
  private static let partBytes = 32 << 20

  /// Adds an image as a part of a long change, which may be broken off in the middle.
  /// - Throws: `OnePassError` (`io`).
  public func insertInParts(_ image: EncodedImage, id: Int) throws {
    try beginPart(changing: image.byteCount)
    try insert(image, id: id)
  }

  /// Removes images and overwrites them, on the disk too; what was done stays if it is broken off.
  /// - Throws: `OnePassError` (`io`).
  public func removeAll(_ ids: some Sequence<Int>) throws {
    for id in ids {
      guard let bytes = try recordBytes(id: id) else { continue }
      try beginPart(changing: bytes)
      try remove(id: id)
    }
    try endParts()
  }

  private func beginPart(changing bytes: Int) throws {
    if partBytesPending > Self.partBytes { try endParts() }
    if partBytesPending == 0 { try begin() }
    partBytesPending += logBytes(forImageOf: bytes)
  }

  /// Ends a long change.
  /// - Throws: `OnePassError` (`io`).
  public func endParts() throws {
    if partBytesPending > 0 { try commit() }
    partBytesPending = 0
    try makeDurable()
  }

  /// Makes everything safe from a power cut, and empties the log, so that what was removed is nowhere any more.
  /// - Throws: `OnePassError` (`io`).
  public func makeDurable() throws {
    guard file == FileIdentity(path: path) else {
      throw OnePassError(
        .io, "\(path) has vanished, or is another file by now: bring its folder back, or mount it again.")
    }
    reader.close()
    let statement = try SQLiteStatement("PRAGMA wal_checkpoint(TRUNCATE)", in: database)
    guard try statement.step(), statement.integer(0) == 0 else {
      throw OnePassError(.io, "\(path) could not be brought up to date: check the disk and the folder.")
    }
    statement.reset()
    database.logFrames = 0
  }
}
