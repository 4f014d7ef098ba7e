import Foundation
import OnePassCore
import OnePassReplay

/// A ledger on disk. Its entries are read in chunks, so that memory does not grow with the stream.
final class LedgerFile {
  let path: String
  let count: Int
  private let file: FileHandle

  private static let chunkEntries = 1 << 16

  /// Opens the valid part of a ledger.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it does not match the mark.
  init(path: String, mark: LedgerMark) throws {
    do { file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)) } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
    self.path = path
    count = mark.examples
    let hash = RunningHash()
    try forEachChunk { hash.update($0) }
    guard "\(hash.value)" == mark.hash else { throw OnePassError.damagedFile(path) }
  }

  /// Passes the bytes of the valid entries, in chunks of whole entries.
  /// - Throws: `OnePassError`: `io` if they cannot be read, `badData` if there are fewer.
  func forEachChunk(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.chunkEntries * LedgerEntry.bytes, alignment: 16)
    defer { buffer.deallocate() }
    for start in stride(from: 0, to: count, by: Self.chunkEntries) {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<(min(Self.chunkEntries, count - start) * LedgerEntry.bytes)])
      try read(part, at: start)
      try body(UnsafeRawBufferPointer(part))
    }
  }

  /// The entry at a position.
  /// - Throws: As ``forEachChunk(_:)``.
  func entry(at index: Int) throws -> LedgerEntry {
    try withUnsafeTemporaryAllocation(byteCount: LedgerEntry.bytes, alignment: 16) { bytes in
      try read(bytes, at: index)
      return LedgerEntry(UnsafeRawBufferPointer(bytes), at: 0)
    }
  }

  private func read(_ bytes: UnsafeMutableRawBufferPointer, at index: Int) throws {
    var filled = 0
    while filled < bytes.count {
      let count = pread(
        file.fileDescriptor, bytes.baseAddress?.advanced(by: filled), bytes.count - filled,
        off_t(index * LedgerEntry.bytes + filled))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw OnePassError.unreadableFile(path, cause: POSIXError(.init(rawValue: errno) ?? .EIO))
      }
      guard count > 0 else { throw OnePassError.damagedFile(path) }
      filled += count
    }
  }

  /// A description of the first entry whose position is not the next of 0, 1, 2, …; `nil` if all are.
  var firstFault: String? {
    get throws {
      var (index, fault) = (0, String?.none)
      try forEachChunk { chunk in
        for offset in stride(from: 0, to: chunk.count, by: LedgerEntry.bytes) where fault == nil {
          let position = LedgerEntry.position(chunk, at: offset)
          if position < index { fault = "example \(position) was taken twice" }
          if position > index { fault = "example \(index) was skipped (followed by \(position))" }
          index += 1
        }
      }
      return fault
    }
  }
}
