import Foundation
import OnePassCore

/// A file that only grows, written in large pieces unless it is asked to write out. Nothing is on disk before the first of them.
final class AppendedFile {
  let path: String
  private var file: FileHandle?
  private var buffer: [UInt8] = []

  /// The most that is kept in memory.
  private static let bufferBytes = 1 << 20

  init(path: String) { self.path = path }

  /// Goes on after so many bytes, and cuts off what follows them.
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

  /// - Throws: `OnePassError` (`io`).
  func append(_ bytes: [UInt8]) throws {
    buffer += bytes
    if buffer.count >= Self.bufferBytes { try writeOut() }
  }

  /// Brings everything to the disk.
  /// - Throws: `OnePassError` (`io`).
  func makeDurable() throws {
    try writeOut()
    try reporting { try file?.synchronize() }
  }

  /// Hands everything to the system, so that others see it.
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
      throw OnePassError(.io, "\(path) could not be written: see that the disk has room.", cause: error)
    }
  }
}
