import CSQLite
import Foundation
import OnePassCore

/// A connection to one SQLite file. Belongs to one thread; what SQLite complains of becomes a sentence.
final class SQLiteDatabase {
  let path: String
  fileprivate let handle: OpaquePointer
  /// Pages in the write-ahead log since it was emptied, as far as they are counted.
  var logFrames = 0

  /// Opens a file, or makes it.
  /// - Throws: `OnePassError`: `io` if it cannot be opened.
  convenience init(path: String) throws {
    try self.init(path: path, name: path, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
  }

  /// Opens a file as it stands: no lock is taken, no log is looked at, and nothing is written.
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
    guard let handle else {
      throw OnePassError(.io, "\(path) cannot be opened: free some memory and try again.")
    }
    self.handle = handle
    guard code == SQLITE_OK else { throw failure(code) }
    sqlite3_extended_result_codes(handle, 1)
  }

  deinit { sqlite3_close_v2(handle) }

  /// Keeps `logFrames` up to date, and leaves it to the caller when the log is emptied.
  func countLogFrames() {
    let this = Unmanaged.passUnretained(self).toOpaque()
    // The database owns the handle, and with it the hook: it is there as long as the hook is called.
    sqlite3_wal_hook(
      handle,
      { this, _, _, frames in
        if let this {
          Unmanaged<SQLiteDatabase>.fromOpaque(this).takeUnretainedValue().logFrames = Int(frames)
        }
        return SQLITE_OK
      }, this)
  }

  /// Carries out statements that return nothing.
  func run(_ sql: String) throws {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// The one number that a statement returns.
  func integer(_ sql: String) throws -> Int {
    let statement = try SQLiteStatement(sql, in: self)
    guard try statement.step() else {
      throw OnePassError(.badData, "\(path) is damaged: it does not answer \(sql).")
    }
    return statement.integer(0)
  }

  /// The sentence for a result code.
  func failure(_ code: Int32) -> OnePassError {
    let reason = String(cString: sqlite3_errmsg(handle))
    if [SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY].contains(code & 0xFF),
      !FileManager.default.fileExists(atPath: path)
    {
      return OnePassError(.io, "\(path) has vanished: bring its folder back, or mount it again.")
    }
    // What could not be read looks like damage to SQLite now and then; the system knows better.
    if [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xFF), sqlite3_system_errno(handle) == EIO {
      return OnePassError(
        .io,
        "\(path) cannot be read or written (\(String(cString: strerror(EIO)))): check the disk and the folder."
      )
    }
    switch code & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED:
      return OnePassError(
        .usage, "\(path) is in use by another process: wait until it has ended, or choose another folder.")
    case SQLITE_FULL:
      return OnePassError(.io, "\(path) cannot grow, because the disk is full: free some space.")
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      return OnePassError(.badData, "\(path) is damaged (\(reason)): restore it from a copy, or begin anew.")
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM:
      return OnePassError(
        .io, "\(path) cannot be read or written (\(reason)): check the disk and the folder.")
    default:
      return OnePassError(.engine, "SQLite failed with \(path): \(reason) (\(code)).")
    }
  }
}

/// A prepared statement, used again and again.
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

  /// Sets the parameters, which are counted from 1.
  func bind(_ values: [Int?]) throws {
    for (index, value) in values.enumerated() {
      let place = Int32(index + 1)
      let code =
        value.map { sqlite3_bind_int64(handle, place, Int64($0)) } ?? sqlite3_bind_null(handle, place)
      guard code == SQLITE_OK else { throw database.failure(code) }
    }
  }

  enum BytesKind { case blob, text }

  /// Runs `body` with the parameter `place` set to bytes, which are not copied.
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

  /// Goes to the next row. Returns whether there is one; without one the statement is ready to be used again.
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

  /// A column as text.
  func text(_ column: Int) -> String {
    sqlite3_column_text(handle, Int32(column)).map { String(cString: $0) } ?? ""
  }
}

/// Reads the blobs of one column, by row, straight into the caller's memory.
///
/// While it stands at a row the log cannot be emptied; see ``close()``.
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

  /// Lets go of the row.
  func close() {
    sqlite3_blob_close(handle)
    handle = nil
  }

  /// Goes to a row.
  /// - Returns: The size of its blob; `nil` if there is no such row.
  func seek(_ row: Int) throws -> Int? {
    if let handle {
      // A row that was changed in the meantime cannot be left but by closing.
      if sqlite3_blob_reopen(handle, Int64(row)) == SQLITE_OK { return Int(sqlite3_blob_bytes(handle)) }
      close()
    }
    switch sqlite3_blob_open(database.handle, "main", table, column, Int64(row), 0, &handle) {
    case SQLITE_OK: return Int(sqlite3_blob_bytes(handle))
    case let code:
      let failure = database.failure(code)
      close()
      if code & 0xFF == SQLITE_ERROR { return nil }  // How SQLite says that there is no such row.
      throw failure
    }
  }

  /// Fills a buffer from an offset of the blob.
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
