import Foundation
import OnePassCore

/// An append-only file with a buffer. It is created when the buffer is written for the first time.
final class AppendedFile {
  let path: String
  private var file: FileHandle?
  private var buffer: [UInt8] = []

  /// The buffer size at which it is written.
  private static let bufferBytes = 1 << 20

  init(path: String) { self.path = path }

  /// Opens a file for appending after a number of bytes, and truncates it there.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written, or is shorter.
  init(path: String, resumingAfter bytes: Int) throws {
    self.path = path
    try reporting {
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      guard try file.seekToEnd() >= bytes else { throw POSIXError(.EIO) }
      try file.truncate(atOffset: UInt64(bytes))
      try file.seekToEnd()
      self.file = file
    }
  }

  /// Appends bytes to the buffer, and writes it if it is large.
  /// - Throws: `OnePassError` (`io`).
  func append(_ bytes: [UInt8]) throws {
    buffer += bytes
    if buffer.count >= Self.bufferBytes { try writeOut() }
  }

  /// Writes the buffer, and waits until the file is on disk.
  /// - Throws: `OnePassError` (`io`).
  func makeDurable() throws {
    try writeOut()
    try reporting { try file?.synchronize() }
  }

  /// Writes the buffer, so that other processes can read it.
  /// - Throws: `OnePassError` (`io`).
  func writeOut() throws {
    try reporting {
      if file == nil {
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw POSIXError(.EIO) }
        file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      }
      try file?.write(contentsOf: Data(buffer))
      buffer = []
    }
  }

  private func reporting(_ body: () throws -> Void) throws {
    do { try body() } catch {
      throw OnePassError.unwritableFile(path, cause: error)
    }
  }
}
