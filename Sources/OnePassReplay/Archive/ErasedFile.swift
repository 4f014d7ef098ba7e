import Foundation

/// Overwrites files before they are removed or cut off, so that the blocks they give up contain none of their bytes.
///
/// No program can promise this for snapshots, for file systems that copy on write, and for drives that level their wear.
package enum ErasedFile {
  private static let blockBytes = 1 << 20

  /// Overwrites a file with zeros, and waits until they are on disk. A missing file is ignored.
  /// - Throws: `POSIXError`.
  package static func overwrite(_ path: String) throws {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return }
      throw failure
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure }
    let zeros = [UInt8](repeating: 0, count: blockBytes)
    var offset = 0
    while offset < Int(status.st_size) {
      let written = zeros.withUnsafeBytes {
        pwrite(file, $0.baseAddress, min($0.count, Int(status.st_size) - offset), off_t(offset))
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw failure }
      offset += written
    }
    guard fsync(file) == 0 else { throw failure }
  }

  /// Overwrites and removes a file, as far as that is possible.
  package static func remove(_ path: String) {
    try? overwrite(path)
    unlink(path)
  }

  private static var failure: POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
}
