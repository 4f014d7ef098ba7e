import Foundation
import OnePassCore

/// An open file or other readable thing of the file system, closed when the last reference goes.
///
/// It keeps no position: reads name their offset, so several threads may read at once.
final class OpenFile: Sendable {
  let descriptor: Int32
  /// The name for sentences; the file may have moved since.
  let path: String

  /// Opens a file that sentences call `name`, or by its path if that is `nil`.
  /// - Throws: `OnePassError` (`io`) if it cannot be opened.
  convenience init(reading path: String, called name: String? = nil) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError("open", name ?? path, remedy: "Check the path.") }
    self.init(adopting: descriptor, path: name ?? path)
  }

  /// Takes over a descriptor; it is closed with this object.
  init(adopting descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// An empty file without a name in `directory`: its space is free again when the process ends, however it ends.
  static func temporary(in directory: String) throws -> OpenFile {
    var template = Array("\(directory)/.onepass-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw systemError("create a temporary file in", directory, remedy: "Name another folder in TMPDIR.")
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return OpenFile(adopting: descriptor, path: "a temporary file in \(directory)")
  }

  /// The size in bytes now.
  func size() throws -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError("measure", path) }
    return Int(status.st_size)
  }

  /// The bytes `offset ..< offset + count`.
  /// - Throws: `OnePassError`: `io` if reading fails, `badData` if the file ends before.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let target = UnsafeMutableRawPointer(buffer.baseAddress! + filled)
        let got = pread(descriptor, target, count - filled, off_t(offset + filled))
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { throw systemError("read", path) }
        guard got > 0 else {
          throw OnePassError(.badData, "\(path) became shorter while it was read. Do not change data in use.")
        }
        filled += got
      }
    }
  }

  /// Appends the bytes at the descriptor's end.
  /// - Throws: `OnePassError` (`io`), for example when the disk is full.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let wrote = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if wrote < 0, errno == EINTR { continue }
      guard wrote >= 0 else { throw systemError("write", path, remedy: "Check the free space.") }
      done += wrote
    }
  }
}

/// The folder for temporary files: TMPDIR, or `/tmp`.
var temporaryDirectory: String {
  let named = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
  return named.isEmpty ? "/tmp" : named
}

/// What the system said about the last failed call, as an `io` error; read `errno` before anything else runs.
func systemError(_ verb: String, _ path: String, remedy: String = "Check the disk and the permissions.")
  -> OnePassError
{
  let reason = String(cString: strerror(errno))
  return OnePassError(.io, "Could not \(verb) \(path): \(reason). \(remedy)")
}

/// Whether something of this name exists, links followed, and whether it is a directory.
func existence(of path: String) -> (exists: Bool, isDirectory: Bool) {
  var status = stat()
  guard stat(path, &status) == 0 else { return (false, false) }
  return (true, status.st_mode & S_IFMT == S_IFDIR)
}
