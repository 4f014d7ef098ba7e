import Foundation
import OnePassCore

/// Puts a file in the place of another in one step, safe from a power cut.
package enum DurableFile {
  /// - Throws: `OnePassError` (`io`); the file is then what it was.
  package static func write(_ data: Data, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    let partial = url.deletingLastPathComponent().path + "/.\(url.lastPathComponent).partial"
    do {
      try data.write(to: URL(fileURLWithPath: partial))
      try synchronise(partial)
      guard rename(partial, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
      try synchronise(url.deletingLastPathComponent().path)
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw OnePassError(.io, "\(path) could not be written: see that the disk has room.", cause: error)
    }
  }

  /// Waits until a file or folder is on the disk.
  static func synchronise(_ path: String) throws {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
  }
}
