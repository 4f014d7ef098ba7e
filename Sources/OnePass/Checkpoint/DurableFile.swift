import Foundation
import OnePassCore

/// Replaces files atomically and durably, so that a power failure leaves the old or the new content.
package enum DurableFile {
  /// Writes or replaces a file.
  /// - Throws: `OnePassError` (`io`); the file is unchanged then.
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
      throw OnePassError.unwritableFile(path, cause: error)
    }
  }

  /// Waits until a file or folder is on disk (fsync).
  package static func synchronise(_ path: String) throws {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
  }
}
