import Foundation
import OnePassCore

/// A file of keys and their names.
///
/// It has mode 0600. It begins with 16 bytes that name its format and 16 random ones that identify it. Records of 64 bytes
/// follow: a name of 32 bytes and a key of 32 bytes, which is zero after it was destroyed.
///
/// One process at a time can open it for writing. A record that was interrupted is removed when it is opened the next time.
final class KeyFile {
  struct Record {
    let name: [UInt8]
    let key: [UInt8]
  }

  let path: String
  /// The random bytes that identify the file.
  let salt: [UInt8]
  /// Whether this created it.
  let isNew: Bool
  /// The open file; -1 if it is only read.
  private let file: Int32
  private var count: Int
  /// Whether all records are on disk. A process that was killed may have left some in the system's cache.
  private var isDurable: Bool

  private static let magic = Array("OnePass keys 1\n\0".utf8)
  private static let headerBytes = 32
  private static let nameBytes = 32
  private static let recordBytes = nameBytes + ImageCipher.keyBytes
  /// The name of the first record, for images without a subject.
  private static let noName = [UInt8](repeating: 0, count: nameBytes)

  /// Opens a file and passes each record to `visit`, in order.
  /// - Parameters:
  ///   - isReading: Whether it is only read. It is then not locked.
  ///   - isCreating: Whether to create a missing or empty file, with one random key.
  /// - Throws: `OnePassError`: `io`, `usage` if another process has it, `badData` if it has another format.
  init(_ path: String, isReading: Bool, isCreating: Bool, visit: (Record) -> Void) throws {
    self.path = path
    isDurable = isReading
    let file = Foundation.open(
      path, (isReading ? O_RDONLY : O_RDWR) | O_CLOEXEC | (isCreating ? O_CREAT : 0), 0o600)
    guard file >= 0 else { throw Self.failure(path) }
    do {
      guard isReading || flock(file, LOCK_EX | LOCK_NB) == 0 else { throw OnePassError.keyFileInUse(path) }
      var bytes = try Self.contents(of: file, path)
      isNew = bytes.isEmpty && isCreating
      if isNew {
        bytes =
          try Self.magic + ImageCipher.random(16) + Self.noName + ImageCipher.random(ImageCipher.keyBytes)
        try Self.write(bytes, at: 0, to: file, path)
        try Self.synchronise(file, path)
        try Self.synchroniseFolder(of: path)
      }
      guard bytes.count >= Self.headerBytes + Self.recordBytes, bytes.starts(with: Self.magic) else {
        throw OnePassError.notKeyFile(path)
      }
      salt = Array(bytes[Self.magic.count..<Self.headerBytes])
      count = (bytes.count - Self.headerBytes) / Self.recordBytes
      for index in 0..<count {
        let key = Self.offset(of: index) + Self.nameBytes
        visit(
          Record(
            name: Array(bytes[key - Self.nameBytes..<key]),
            key: Array(bytes[key..<key + ImageCipher.keyBytes])))
      }
      guard isReading || ftruncate(file, off_t(Self.offset(of: count))) == 0 else { throw Self.failure(path) }
      if isReading { close(file) }
      self.file = isReading ? -1 : file
    } catch {
      close(file)
      throw error
    }
  }

  deinit { if file >= 0 { close(file) } }

  /// Appends a record. It is durable after ``makeDurable()``.
  /// - Throws: `OnePassError` (`io`); the file is unchanged then.
  func append(_ record: Record) throws {
    guard file >= 0 else { preconditionFailure("A key file that is only read cannot get keys.") }
    do { try Self.write(record.name + record.key, at: Self.offset(of: count), to: file, path) } catch {
      ftruncate(file, off_t(Self.offset(of: count)))
      throw error
    }
    count += 1
    isDurable = false
  }

  /// Overwrites a key with zeros. It is durable after ``makeDurable()``.
  /// - Throws: `OnePassError` (`io`).
  func destroy(_ index: Int) throws {
    let zeros = [UInt8](repeating: 0, count: ImageCipher.keyBytes)
    try Self.write(zeros, at: Self.offset(of: index) + Self.nameBytes, to: file, path)
    isDurable = false
  }

  /// Makes all changes durable.
  /// - Throws: `OnePassError` (`io`).
  func makeDurable() throws {
    guard !isDurable else { return }
    try Self.synchronise(file, path)
    isDurable = true
  }

  private static func offset(of index: Int) -> Int { headerBytes + index * recordBytes }

  private static func contents(of file: Int32, _ path: String) throws -> [UInt8] {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure(path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw OnePassError.notKeyFile(path) }
    return try [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { bytes, count in
      while count < bytes.count {
        let got = pread(file, bytes.baseAddress.map { $0 + count }, bytes.count - count, off_t(count))
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { throw failure(path) }
        if got == 0 { return }
        count += got
      }
    }
  }

  private static func write(_ bytes: [UInt8], at offset: Int, to file: Int32, _ path: String) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes {
        pwrite(file, $0.baseAddress, $0.count, off_t(offset + written))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(path) }
      written += count
    }
  }

  private static func synchronise(_ file: Int32, _ path: String) throws {
    guard fsync(file) == 0 else { throw failure(path) }
  }

  private static func synchroniseFolder(of path: String) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let file = Foundation.open(folder, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure(folder) }
    defer { close(file) }
    try synchronise(file, folder)
  }

  private static func failure(_ path: String) -> OnePassError {
    errno == ENOENT
      ? .keyFileMissing(path) : .keyFileInaccessible(path, reason: String(cString: strerror(errno)))
  }
}
