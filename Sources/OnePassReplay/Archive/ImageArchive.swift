import CXXHash
import Foundation
import OnePassCore

/// Images on disk, each under its position in the stream: one SQLite file, which survives a crash at any instant.
///
/// ```swift
/// let archive = try ImageArchive(folder: "runs/first/memory")
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
/// SQLite was chosen among LMDB, RocksDB and itself by measuring: `Benchmarks/stores/README.md`.
public final class ImageArchive {
  /// The name of the file in its folder.
  public static let fileName = "images.sqlite"

  public let path: String
  private let database: SQLiteDatabase
  private let insertion: SQLiteStatement
  private let removal: SQLiteStatement
  private let selection: SQLiteStatement

  /// What marks a file as one of ours: "OPIA".
  private static let applicationID = 0x4F50_4941
  private static let formatVersion = 1

  /// Opens the archive of a folder, or makes both.
  /// - Parameters:
  ///   - folder: Where the file lies.
  ///   - pageBytes: The size of a page, a power of two from 512 to 65,536, for a file that is made new. 16,384 suits
  ///     photographs; for images of a few kilobytes 4,096 wastes less.
  /// - Throws: `OnePassError`: `io` if it cannot be opened or made, `usage` if another process has it, `badData` if it
  ///   is damaged or something else.
  public init(folder: String, pageBytes: Int = 16_384) throws {
    precondition(
      (512...65_536).contains(pageBytes) && pageBytes.nonzeroBitCount == 1, "A page has 2^9 … 2^16 bytes.")
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw OnePassError(.io, "The folder \(folder) cannot be made: choose another.", cause: error)
    }
    path = "\(folder)/\(Self.fileName)"
    database = try SQLiteDatabase(path: path)
    // Held by one process, so that no shared memory is needed beside the log.
    try database.run("PRAGMA locking_mode = EXCLUSIVE")
    try database.run("PRAGMA page_size = \(pageBytes)")
    try database.run("PRAGMA journal_mode = WAL")
    // The log is synchronised by makeDurable; without it a power cut loses the last transactions, never an earlier one.
    try database.run("PRAGMA synchronous = NORMAL")
    try database.run("PRAGMA secure_delete = ON")
    try database.run("PRAGMA cache_size = -65536")
    try Self.makeOrCheckTables(database)
    insertion = try SQLiteStatement("INSERT INTO images VALUES(?, ?, ?, ?, ?, ?)", in: database)
    removal = try SQLiteStatement("DELETE FROM images WHERE id = ?", in: database)
    selection = try SQLiteStatement(
      "SELECT width, height, channels, checksum, bytes FROM images WHERE id = ?", in: database)
  }

  private static func makeOrCheckTables(_ database: SQLiteDatabase) throws {
    let (kind, version) = (
      try database.integer("PRAGMA application_id"), try database.integer("PRAGMA user_version")
    )
    let isEmpty = try database.integer("SELECT count(*) FROM sqlite_schema") == 0
    if isEmpty, kind == 0 {
      try database.run(
        """
        BEGIN IMMEDIATE;
        CREATE TABLE images(
          id INTEGER PRIMARY KEY, width INTEGER, height INTEGER, channels INTEGER, checksum INTEGER NOT NULL,
          bytes BLOB NOT NULL);
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(formatVersion);
        COMMIT
        """)
      return
    }
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

  /// The room that the archive takes on disk: pages, index and log.
  public var bytesOnDisk: Int {
    get throws {
      let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)-wal")
      let log = (attributes?[.size] as? NSNumber)?.intValue ?? 0
      return try database.integer("PRAGMA page_count") * database.integer("PRAGMA page_size") + log
    }
  }

  /// The image at a position of the stream.
  /// - Throws: `OnePassError`: `badData` if there is none, or if it is not what was put there.
  public func image(id: Int) throws -> EncodedImage {
    try selection.bind([id])
    guard try selection.step() else {
      throw OnePassError(
        .badData, "\(path) holds no image of example \(id): restore it from a copy, or begin anew.")
    }
    defer { selection.reset() }
    let encoding: EncodedImage.Encoding =
      selection.isNull(0)
      ? .file
      : .pixels(width: selection.integer(0), height: selection.integer(1), channels: selection.integer(2))
    let image = EncodedImage(bytes: selection.bytes(4), encoding: encoding)
    guard Self.checksum(of: image, id: id) == selection.integer(3) else {
      throw OnePassError(
        .badData,
        "\(path) is damaged: the image of example \(id) is not what was put there. Restore it from a copy, or begin anew."
      )
    }
    return image
  }

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

  /// Adds an image.
  /// - Throws: `OnePassError`: `badData` if there is already one at this position, `io` if it cannot be written.
  public func insert(_ image: EncodedImage, id: Int) throws {
    let checksum = Self.checksum(of: image, id: id)
    switch image.encoding {
    case .file: try insertion.bind([id, nil, nil, nil, checksum])
    case .pixels(let width, let height, let channels):
      try insertion.bind([id, width, height, channels, checksum])
    }
    _ = try insertion.withBlob(image.bytes, at: 6) { try insertion.step() }
  }

  /// Removes an image and overwrites its bytes. Does nothing if there is none.
  public func remove(id: Int) throws {
    try removal.bind([id])
    _ = try removal.step()
  }

  /// Makes everything safe from a power cut, and empties the log, so that what was removed is nowhere any more.
  /// - Throws: `OnePassError` (`io`).
  public func makeDurable() throws {
    let statement = try SQLiteStatement("PRAGMA wal_checkpoint(TRUNCATE)", in: database)
    guard try statement.step(), statement.integer(0) == 0 else {
      throw OnePassError(.io, "\(path) could not be brought up to date: check the disk and the folder.")
    }
    statement.reset()
  }

  /// XXH3 of the bytes, seeded by the position and the kind of image.
  private static func checksum(of image: EncodedImage, id: Int) -> Int {
    var seed = UInt64(bitPattern: Int64(id))
    if case .pixels(let width, let height, let channels) = image.encoding {
      seed ^=
        UInt64(truncatingIfNeeded: width) << 48 ^ UInt64(truncatingIfNeeded: height) << 32
        ^ UInt64(truncatingIfNeeded: channels) << 30
    }
    let hash = image.bytes.withUnsafeBytes { XXH3_64bits_withSeed($0.baseAddress, $0.count, seed) }
    return Int(Int64(bitPattern: hash))
  }
}
