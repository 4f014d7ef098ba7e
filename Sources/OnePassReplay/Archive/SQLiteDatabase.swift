import CSQLite
import Foundation
import OnePassCore

/// A connection to one SQLite file, which reports failures as `OnePassError`. Used on one thread.
final class SQLiteDatabase {
  let path: String
  fileprivate let handle: OpaquePointer
  /// Pages in the write-ahead log since it was emptied, if they are counted.
  var logFrames = 0

  /// Opens or creates a file.
  /// - Throws: `OnePassError`: `io` if it cannot be opened.
  convenience init(path: String) throws {
    try self.init(path: path, name: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
  }

  /// Opens a file for reading, without locks and without its log.
  /// - Throws: `OnePassError`: `io` if it cannot be opened.
  convenience init(reading path: String) throws {
    var allowed = CharacterSet.urlPathAllowed
    allowed.remove(charactersIn: "?#%;")
    let name = path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path
    try self.init(path: path, name: "file:\(name)?immutable=1", flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
  }

  private init(path: String, name: String, flags: Int32) throws {
    self.path = path
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard let handle else { throw OnePassError.databaseNotOpened(path) }
    self.handle = handle
    guard code == SQLITE_OK else { throw failure(code) }
    sqlite3_extended_result_codes(handle, 1)
  }

  deinit { sqlite3_close_v2(handle) }

  /// Starts to count `logFrames`. This replaces SQLite's automatic checkpoints, so that the caller must empty the log.
  func countLogFrames() {
    let this = Unmanaged.passUnretained(self).toOpaque()
    // Unretained, since the handle and its hook do not outlive the database.
    sqlite3_wal_hook(
      handle,
      { this, _, _, frames in
        if let this {
          Unmanaged<SQLiteDatabase>.fromOpaque(this).takeUnretainedValue().logFrames = Int(frames)
        }
        return SQLITE_OK
      }, this)
  }

  /// Executes statements that return nothing.
  func run(_ sql: String) throws {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// Returns the single number that a statement yields.
  func integer(_ sql: String) throws -> Int {
    let statement = try SQLiteStatement(sql, in: self)
    guard try statement.step() else {
      throw OnePassError.databaseReturnsNothing(path, query: sql)
    }
    return statement.integer(0)
  }

  /// Returns the error for a result code.
  func failure(_ code: Int32) -> OnePassError {
    let reason = String(cString: sqlite3_errmsg(handle))
    if [SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY].contains(code & 0xFF),
      !FileManager.default.fileExists(atPath: path)
    {
      return .databaseVanished(path)
    }
    // SQLite sometimes reports a failed read as damage.
    if [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xFF), sqlite3_system_errno(handle) == EIO {
      return .databaseInaccessible(path, reason: String(cString: strerror(EIO)))
    }
    switch code & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED: return .databaseInUse(path)
    case SQLITE_FULL: return .diskFull(path)
    case SQLITE_CORRUPT, SQLITE_NOTADB: return .databaseDamaged(path, reason: reason)
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM:
      return .databaseInaccessible(path, reason: reason)
    default: return .databaseFailed(path, reason: reason, code: code)
    }
  }
}

/// A prepared statement that is used repeatedly.
final class SQLiteStatement {
  private let database: SQLiteDatabase
  private let handle: OpaquePointer

  init(_ sql: String, in database: SQLiteDatabase) throws {
    self.database = database
    var handle: OpaquePointer?
    let code = sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle else { throw database.failure(code) }
    self.handle = handle
  }

  deinit { sqlite3_finalize(handle) }

  /// Sets the parameters from the first one.
  func bind(_ values: [Int?]) throws {
    for (index, value) in values.enumerated() {
      let place = Int32(index + 1)
      let code =
        value.map { sqlite3_bind_int64(handle, place, Int64($0)) } ?? sqlite3_bind_null(handle, place)
      guard code == SQLITE_OK else { throw database.failure(code) }
    }
  }

  enum BytesKind { case blob, text }

  /// Runs `body` with parameter `place` bound to bytes, which are not copied.
  func withBlob<Result>(
    _ bytes: [UInt8], at place: Int, as kind: BytesKind = .blob, _ body: () throws -> Result
  ) throws -> Result {
    try bytes.withUnsafeBytes { buffer in
      let (place, count) = (Int32(place), UInt64(buffer.count))
      let code =
        switch kind {
        case .blob: sqlite3_bind_blob64(handle, place, buffer.baseAddress, count, nil)
        case .text:
          sqlite3_bind_text64(
            handle, place, buffer.bindMemory(to: CChar.self).baseAddress, count, nil, UInt8(SQLITE_UTF8))
        }
      guard code == SQLITE_OK else { throw database.failure(code) }
      defer { sqlite3_bind_null(handle, place) }
      return try body()
    }
  }

  /// Advances to the next row, and returns whether there is one. After the last row, the statement is reset.
  func step() throws -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      sqlite3_reset(handle)
      return false
    case let code:
      let failure = database.failure(code)
      sqlite3_reset(handle)
      throw failure
    }
  }

  func reset() { sqlite3_reset(handle) }

  func integer(_ column: Int) -> Int { Int(sqlite3_column_int64(handle, Int32(column))) }

  /// Returns a column as text.
  func text(_ column: Int) -> String {
    sqlite3_column_text(handle, Int32(column)).map { String(cString: $0) } ?? ""
  }
}

/// Reads the blobs of one column, by row, into the caller's memory.
///
/// While a row is open, the log cannot be emptied; see ``close()``.
final class SQLiteBlobReader {
  private let database: SQLiteDatabase
  private let table: String
  private let column: String
  private var handle: OpaquePointer?

  init(table: String, column: String, in database: SQLiteDatabase) {
    self.database = database
    self.table = table
    self.column = column
  }

  deinit { close() }

  /// Closes the open row, if any.
  func close() {
    sqlite3_blob_close(handle)
    handle = nil
  }

  /// Opens a row.
  /// - Returns: The size of its blob, in bytes; `nil` if there is no such row.
  func seek(_ row: Int) throws -> Int? {
    if let handle {
      // Fails if the open row was changed meanwhile.
      if sqlite3_blob_reopen(handle, Int64(row)) == SQLITE_OK { return Int(sqlite3_blob_bytes(handle)) }
      close()
    }
    switch sqlite3_blob_open(database.handle, "main", table, column, Int64(row), 0, &handle) {
    case SQLITE_OK: return Int(sqlite3_blob_bytes(handle))
    case let code:
      let failure = database.failure(code)
      close()
      if code & 0xFF == SQLITE_ERROR { return nil }  // There is no such row.
      throw failure
    }
  }

  /// Fills a buffer, starting at an offset of the blob.
  func read(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws {
    guard !buffer.isEmpty else { return }
    let code = sqlite3_blob_read(handle, buffer.baseAddress, Int32(buffer.count), Int32(offset))
    guard code == SQLITE_OK else {
      let failure = database.failure(code)
      close()
      throw failure
    }
  }
}
