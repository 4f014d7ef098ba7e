import Foundation
import OnePassCore

/// Images in one SQLite file, by their position in the stream. The file survives a crash at any time.
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
/// The changes of a transaction become visible together, at its end. ``makeDurable()`` protects them from a power failure.
/// Removed images are overwritten. Only one process can open the file for writing. An archive is used on one thread.
///
/// An image takes whole pages, so that its size on disk is known before it is written. With ``MemoryKeys``, it is encrypted.
///
/// SQLite was compared with LMDB and RocksDB in `Benchmarks/stores/README.md`.
public final class ImageArchive {
  /// The name of the file in its folder.
  public static let fileName = "images.sqlite"

  /// The path of the file.
  public let path: String
  private let database: SQLiteDatabase
  private let insertion: SQLiteStatement
  private let removal: SQLiteStatement
  private let reader: SQLiteBlobReader
  private let layout: PageLayout
  private var partBytesPending = 0
  /// The identity of the file, by which a replaced file is detected.
  private let file: FileIdentity?
  private var keys: MemoryKeys?
  /// Whether the images are encrypted.
  private var isEncrypted: Bool

  /// The note with the identity of the key file.
  private static let keyNote = "keys"

  /// The application ID in the file's header: "OPIA".
  private static let applicationID = 0x4F50_4941
  private static let formatVersion = 2

  /// Opens the archive of a folder, or creates both.
  /// - Parameters:
  ///   - folder: The folder of the file.
  ///   - imageBytes: The size of a typical image, in bytes, by which a new file gets its page size.
  ///   - keys: The keys of an encrypted archive. Without them, images can be removed, but not read or inserted.
  /// - Throws: `OnePassError`: `io` if it cannot be opened or created, `usage` if another process uses it or it has other keys,
  ///   `badData` if it is damaged or not an archive.
  public convenience init(folder: String, imageBytes: Int, keys: MemoryKeys? = nil) throws {
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw OnePassError.folderNotCreated(folder, cause: error)
    }
    let database = try SQLiteDatabase(path: "\(folder)/\(Self.fileName)")
    // With one process, the log needs no shared memory.
    try database.run("PRAGMA locking_mode = EXCLUSIVE")
    try database.run("PRAGMA page_size = \(PageLayout.suited(toImagesOf: imageBytes).pageBytes)")
    try database.run("PRAGMA journal_mode = WAL")
    // The log is synchronised by makeDurable. A power failure before it loses the last transactions, never earlier ones.
    try database.run("PRAGMA synchronous = NORMAL")
    try database.run("PRAGMA secure_delete = ON")
    try database.run("PRAGMA cache_size = -\(Self.cacheBytes / 1_024)")
    // Uncommitted pages stay in the cache, so that each changed page is in the log once.
    try database.run("PRAGMA cache_spill = OFF")
    database.countLogFrames()
    try Self.makeOrCheckTables(database)
    try self.init(database)
    if let keys { try use(keys) }
  }

  /// Opens the archive of a folder for reading, without locks and without changing any file.
  ///
  /// Another process can write meanwhile. Its changes are visible after it has made them durable. Images that it is changing can
  /// be missing or appear damaged, but checksums rule out wrong images.
  /// - Parameters:
  ///   - folder: The folder of the file.
  ///   - keys: The keys of an encrypted archive, without which no image can be read.
  /// - Throws: `OnePassError`: `io` if it cannot be opened, `usage` if it has other keys, `badData` if it is damaged or not an
  ///   archive.
  /// - Returns: `nil` if the file was just created, and is still empty.
  public convenience init?(reading folder: String, keys: MemoryKeys? = nil) throws {
    let database = try SQLiteDatabase(reading: "\(folder)/\(Self.fileName)")
    if try Self.isEmpty(database) { return nil }
    try Self.check(database)
    try self.init(database)
    if let keys, try count > 0 { try use(keys) }
  }

  private init(_ database: SQLiteDatabase) throws {
    self.database = database
    path = database.path
    file = FileIdentity(path: path)
    layout = PageLayout(pageBytes: try database.integer("PRAGMA page_size"))
    insertion = try SQLiteStatement("INSERT INTO images VALUES(?, ?)", in: database)
    removal = try SQLiteStatement("DELETE FROM images WHERE id = ?", in: database)
    reader = SQLiteBlobReader(table: "images", column: "record", in: database)
    isEncrypted = false
    isEncrypted = try note(Self.keyNote) != nil
  }

  /// Encrypts and decrypts all images with these keys. An archive without images becomes an encrypted one.
  /// - Throws: `OnePassError` (`usage`) if it has images that are not encrypted, or encrypted with other keys.
  func use(_ keys: MemoryKeys) throws {
    switch try note(Self.keyNote) {
    case keys.identity: break
    case nil:
      guard try count == 0 else { throw OnePassError.imagesNotEncrypted(path) }
      try setNote(Self.keyNote, to: keys.identity)
    default: throw OnePassError.imagesOfOtherKey(path, keyFile: keys.path)
    }
    (self.keys, isEncrypted) = (keys, true)
  }

  static let cacheBytes = 64 << 20

  /// Whether a folder contains an archive.
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
      throw OnePassError.databaseOfOtherProgram(database.path)
    }
    guard version == formatVersion else {
      throw OnePassError.archiveOfOtherVersion(database.path, format: version, supported: formatVersion)
    }
  }

  // MARK: Contents

  /// The number of images.
  public var count: Int { get throws { try database.integer("SELECT count(*) FROM images") } }

  /// The positions of all images, in ascending order.
  public var ids: [Int] {
    get throws {
      let statement = try SQLiteStatement("SELECT id FROM images ORDER BY id", in: database)
      var ids: [Int] = []
      while try statement.step() { ids.append(statement.integer(0)) }
      return ids
    }
  }

  /// Returns the positions of the images from `first`, in ascending order, without reading the others.
  func ids(from first: Int) throws -> [Int] {
    let statement = try SQLiteStatement("SELECT id FROM images WHERE id >= ? ORDER BY id", in: database)
    try statement.bind([first])
    var ids: [Int] = []
    while try statement.step() { ids.append(statement.integer(0)) }
    return ids
  }

  /// Returns whether there is an image at a position.
  /// - Throws: `OnePassError`: `io` if the file cannot be read, `badData` if it is damaged.
  public func contains(id: Int) throws -> Bool { try recordBytes(id: id) != nil }

  /// Returns the size of an image's record, in bytes; `nil` if there is no image.
  func recordBytes(id: Int) throws -> Int? { try reader.seek(id) }

  /// Returns the image at a position of the stream.
  /// - Throws: `OnePassError`: `badData` if there is none, it does not match its checksum, or its key was destroyed; `usage` if
  ///   it is encrypted and there are no keys; `io` if it cannot be read.
  public func image(id: Int) throws -> EncodedImage {
    let stored = try storedImage(id: id)
    guard isEncrypted else { return stored }
    guard let keys else { throw OnePassError.imagesEncrypted(path) }
    guard let image = try keys.open(stored, id: id) else {
      throw OnePassError.imageDamaged(path, example: id)
    }
    return image
  }

  /// Whether the key of an image was destroyed; `false` for an image that is missing or damaged.
  package func isForgotten(id: Int) -> Bool {
    guard let keys, keys.hasDestroyedKeys, let stored = try? storedImage(id: id) else { return false }
    return keys.isForgotten(stored)
  }

  /// Checks that an encrypted archive has these keys.
  /// - Throws: `OnePassError` (`usage`) if it has others.
  package func check(_ keys: MemoryKeys) throws {
    guard try isEncrypted && note(Self.keyNote) != keys.identity else { return }
    throw OnePassError.imagesOfOtherKey(path, keyFile: keys.path)
  }

  /// Returns an image as it is stored, encrypted or not.
  func storedImage(id: Int) throws -> EncodedImage {
    guard let size = try reader.seek(id) else { throw OnePassError.imageMissing(path, example: id) }
    guard let image = try ImageRecord.read(size: size, id: id, with: reader.read) else {
      throw OnePassError.imageDamaged(path, example: id)
    }
    return image
  }

  /// Returns a named text that is stored with the images; `nil` if there is none.
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

  // MARK: Size on disk

  /// The present size of the database and its log on disk, in bytes.
  public var bytesOnDisk: Int {
    get throws {
      let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)-wal")
      let log = (attributes?[.size] as? NSNumber)?.intValue ?? 0
      return try database.integer("PRAGMA page_count") * layout.pageBytes + log
    }
  }

  /// Returns an upper bound of the size of an image in the file, in bytes: whole pages, and its share of the tree.
  func bytes(forImageOf bytes: Int) -> Int {
    pages(forImageOf: bytes) * layout.pageBytes + layout.treeBytesPerRow
  }

  private func pages(forImageOf bytes: Int) -> Int {
    layout.pages(
      forBlobOf: ImageRecord.headerBytes + bytes + (isEncrypted ? MemoryKeys.bytesPerImage : 0))
  }

  /// An upper bound of the size of the file without images, in bytes.
  var fixedBytes: Int { PageLayout.fixedPages * layout.pageBytes }

  /// The size of the log, in bytes.
  var logBytes: Int { Self.logHeaderBytes + database.logFrames * logFrameBytes }

  /// Returns an upper bound of the log bytes for a change of an image: its pages, and pages of the tree.
  func logBytes(forImageOf bytes: Int) -> Int {
    (pages(forImageOf: bytes) + Self.treePagesPerChange) * logFrameBytes
  }

  /// Returns the minimum log limit for images of this typical size, with a margin for images twice as large.
  func smallestLogLimit(forImagesOf bytes: Int) -> Int {
    Self.logHeaderBytes + 2 * logBytes(forImageOf: 2 * bytes)
  }

  /// Returns whether a log of `limit` bytes has room for the change of an image.
  func admits(imageOf bytes: Int, inLogOf limit: Int) -> Bool {
    Self.logHeaderBytes + logBytes(forImageOf: bytes) <= limit
  }

  private var logFrameBytes: Int { layout.pageBytes + 24 }
  private static let logHeaderBytes = 32
  /// Up to five levels with a page and its two neighbours, a new root, the first page, and two pages of the free list.
  private static let treePagesPerChange = 20

  // MARK: Changes

  /// Makes all changes in `body`, or none if it throws.
  /// - Throws: The error of `body`; `OnePassError` (`io`) if the changes cannot be written.
  public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try database.run("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try database.run("COMMIT")
      return result
    } catch {
      // After some failures, such as a full disk, SQLite has already rolled back.
      try? database.run("ROLLBACK")
      throw error
    }
  }

  /// Starts a transaction that `commit` ends.
  func begin() throws { try database.run("BEGIN IMMEDIATE") }

  func commit() throws { try database.run("COMMIT") }

  /// Inserts an image.
  /// - Parameters:
  ///   - image: The image.
  ///   - id: Its position in the stream.
  ///   - subject: Its subject, with whose key it is encrypted.
  /// - Throws: `OnePassError`: `badData` if there is already one at this position, `usage` if the archive is encrypted and there
  ///   are no keys, `io` if it cannot be written.
  public func insert(_ image: EncodedImage, id: Int, subject: String? = nil) throws {
    guard isEncrypted else { return try insertStored(image, id: id) }
    guard let keys else { throw OnePassError.imagesEncrypted(path) }
    try insertStored(keys.seal(image, id: id, subject: subject), id: id)
  }

  /// Inserts an image as it was stored in an archive with the same keys.
  func insertStored(_ image: EncodedImage, id: Int) throws {
    let size = layout.paddedBytes(forBlobOf: ImageRecord.headerBytes + image.byteCount)
    try insertion.bind([id])
    _ = try insertion.withBlob(ImageRecord.encode(image, id: id, padded: size), at: 2) {
      try insertion.step()
    }
  }

  /// Removes an image, if there is one, and overwrites its bytes.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  public func remove(id: Int) throws {
    try removal.bind([id])
    _ = try removal.step()
  }

  /// The maximum size of the uncommitted part of a long change, which is in RAM and in the log.
  private static let partBytes = 32 << 20

  /// Inserts an image as part of a long change. If the change is interrupted, completed parts remain.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  public func insertInParts(_ image: EncodedImage, id: Int, subject: String? = nil) throws {
    try beginPart(changing: image.byteCount)
    try insert(image, id: id, subject: subject)
  }

  /// Removes images and overwrites them durably. If it is interrupted, completed removals remain.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
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

  /// Ends a long change, and makes it durable.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  public func endParts() throws {
    if partBytesPending > 0 { try commit() }
    partBytesPending = 0
    try makeDurable()
  }

  /// Writes all changes durably, and empties the log, so that no copy of a removed image remains.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  public func makeDurable() throws {
    guard file == FileIdentity(path: path) else { throw OnePassError.databaseVanished(path) }
    try keys?.makeDurable()
    reader.close()
    try checkpoint("FULL")
    // All pages are in the database now. The blocks that the log gives up must not contain images.
    do { try ErasedFile.overwrite("\(path)-wal") } catch { throw OnePassError.logNotEmptied(path) }
    try checkpoint("TRUNCATE")
    database.logFrames = 0
  }

  private func checkpoint(_ mode: String) throws {
    let statement = try SQLiteStatement("PRAGMA wal_checkpoint(\(mode))", in: database)
    defer { statement.reset() }
    guard try statement.step(), statement.integer(0) == 0 else {
      throw OnePassError.logNotEmptied(path)
    }
  }

  /// Overwrites and removes the file of a folder and its log. Nothing may have it open.
  public static func erase(in folder: String) {
    for suffix in ["", "-wal", "-shm", "-journal"] { ErasedFile.remove("\(folder)/\(fileName)\(suffix)") }
  }
}
