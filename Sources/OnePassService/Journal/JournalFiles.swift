import Foundation
import OnePass
import OnePassBrokers
import OnePassCore

/// A file of a journal that is open.
final class JournalFile {
  let path: String
  let descriptor: Int32

  /// - Throws: `OnePassError` (`io`).
  init(_ path: String, writable: Bool) throws {
    self.path = path
    descriptor = open(path, (writable ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw OnePassError.journal(path, errno) }
  }

  deinit { close(descriptor) }

  /// Reads up to `count` bytes; fewer at the end of the file.
  func read(at position: Int, count: Int) throws -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(position + filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        filled += got
      }
    }
    guard failure == 0 else { throw OnePassError.journal(path, failure) }
    return bytes
  }

  /// Writes bytes and waits until they are on disk.
  func write(_ bytes: [UInt8], at position: Int) throws {
    var written = 0
    try bytes.withUnsafeBytes { bytes in
      while written < bytes.count {
        let count = pwrite(
          descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(position + written))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw OnePassError.journal(path, errno) }
        written += count
      }
    }
    try synchronise()
  }

  func truncate(to bytes: Int) throws {
    guard ftruncate(descriptor, off_t(bytes)) == 0 else { throw OnePassError.journal(path, errno) }
  }

  func synchronise() throws {
    #if os(Linux)
      let status = fdatasync(descriptor)
    #else
      let status = fsync(descriptor)
    #endif
    guard status == 0 else { throw OnePassError.journal(path, errno) }
  }

  /// Calls `body` with each whole record from `position` on.
  /// - Parameter end: The end of the valid part; the end of the file if `nil`.
  /// - Returns: The end of the last whole record.
  func scan(
    from position: Int = 0, to end: Int? = nil,
    _ body: (JournalRecord.Header, UnsafeRawBufferPointer, Int) throws -> Bool
  ) throws -> Int {
    let end = try end ?? size()
    var position = position
    var wanted = Self.chunkBytes
    while position < end {
      let chunk = try read(at: position, count: min(wanted, end - position))
      let used = try chunk.withUnsafeBytes { bytes -> (bytes: Int, isOver: Bool, needs: Int) in
        var start = 0
        while let header = JournalRecord.Header(UnsafeRawBufferPointer(rebasing: bytes[start...])) {
          guard start + header.recordBytes <= bytes.count else { return (start, false, header.recordBytes) }
          let payload = UnsafeRawBufferPointer(
            rebasing: bytes[start + JournalRecord.headerBytes..<start + header.recordBytes])
          guard header.matches(payload), try body(header, payload, position + start) else {
            return (start, true, 0)
          }
          start += header.recordBytes
        }
        return (start, false, JournalRecord.headerBytes)
      }
      // A file that is shorter than it should be.
      guard chunk.count == min(wanted, end - position) else { return position + used.bytes }
      position += used.bytes
      guard !used.isOver, position + used.needs <= end, used.bytes > 0 || used.needs > chunk.count else {
        break
      }
      wanted = max(Self.chunkBytes, used.needs)
    }
    return position
  }

  /// Whether a whole record behind the valid part shows that a message was on disk, which is damaged then. Else a crash has
  /// cut the last batch, of which any part may be there.
  func hasRecord(after end: Int, provingThat number: UInt64) throws -> Bool {
    let rest = try read(at: end, count: max(0, size() - end))
    return rest.withUnsafeBytes { bytes in
      var start = 0
      while start + JournalRecord.headerBytes <= bytes.count {
        let tail = UnsafeRawBufferPointer(rebasing: bytes[start...])
        start += 1
        guard tail[0] == JournalRecord.magic[0], let header = JournalRecord.Header(tail),
          header.batch > number, header.recordBytes <= tail.count
        else { continue }
        let payload = tail[JournalRecord.headerBytes..<header.recordBytes]
        if header.matches(UnsafeRawBufferPointer(rebasing: payload)) { return true }
      }
      return false
    }
  }

  private func size() throws -> Int {
    let bytes = lseek(descriptor, 0, SEEK_END)
    guard bytes >= 0 else { throw OnePassError.journal(path, errno) }
    return Int(bytes)
  }

  private static let chunkBytes = 1 << 20
}

/// The segments of a journal, named by the number of their first message: `00000000000000001024.journal`.
struct JournalFolder {
  let path: String
  private static let suffix = ".journal"

  /// Creates the folder, if it does not exist.
  /// - Throws: `OnePassError` (`io`).
  init(_ path: String) throws {
    self.path = path
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw OnePassError.unwritableFile(path, cause: error) }
  }

  func path(of first: UInt64) -> String {
    let digits = String(first)
    return "\(path)/\(String(repeating: "0", count: 20 - digits.count))\(digits)\(Self.suffix)"
  }

  /// The first numbers of the segments, in order.
  func firsts() throws -> [UInt64] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { $0.hasSuffix(Self.suffix) }.compactMap { UInt64($0.dropLast(Self.suffix.count)) }.sorted()
    } catch { throw OnePassError.unreadableFile(path, cause: error) }
  }

  /// Waits until the names of the segments are on disk.
  func synchronise() throws { try DurableFile.synchronise(path) }
}

extension OnePassError {
  /// A failure of the system while a journal was read or written.
  static func journal(_ path: String, _ code: Int32) -> OnePassError {
    OnePassError(
      code == ENOSPC || code == EDQUOT ? .diskFull : .io, "\(path): \(String(cString: strerror(code))).",
      cause: POSIXErrorCode(rawValue: code).map { POSIXError($0) })
  }

  static func damagedJournal(_ path: String, at position: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): the file is damaged at byte \(position); restore it from a copy, or remove it and lose its messages."
    )
  }
}

extension OnePassError.Code {
  /// There is no room on the disk. Exit status 74.
  package static let diskFull = OnePassError.Code("diskFull", exitStatus: 74)
}
