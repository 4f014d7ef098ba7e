import Foundation
import OnePassCore

/// An open file or pipe, closed with the last reference.
///
/// It has no position: each read states its offset, so several threads can read at once.
final class OpenFile: Sendable {
  let descriptor: Int32
  /// The name for error messages. The file may have been moved since.
  let path: String

  /// - Parameter name: The file's name in error messages; its path if `nil`.
  /// - Throws: `OnePassError` (`io`) if the file cannot be opened.
  convenience init(reading path: String, called name: String? = nil) throws {
    try self.init(reading: Array(path.utf8), called: name ?? path)
  }

  /// - Parameter path: The path as bytes, which need not be UTF-8.
  convenience init(reading path: [UInt8], called name: String? = nil) throws {
    try self.init(path, called: name, flags: 0)
  }

  /// Opens a file that must not be a pipe or a device, whose opening could wait for a writer.
  /// - Returns: The file and its size in bytes.
  /// - Throws: `OnePassError` (`io`) if the file cannot be opened, or is something else.
  static func regular(_ path: [UInt8], called name: String? = nil) throws -> (file: OpenFile, size: Int) {
    let file = try OpenFile(path, called: name, flags: O_NONBLOCK)
    var status = stat()
    guard fstat(file.descriptor, &status) == 0 else { throw OnePassError.failed(.inspect, file.path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw OnePassError.isNotRegularFile(file.path) }
    return (file, Int(status.st_size))
  }

  private convenience init(_ path: [UInt8], called name: String?, flags: Int32) throws {
    let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | flags) }
    guard descriptor >= 0 else { throw OnePassError.failed(.open, name ?? String(escaping: path)) }
    self.init(adopting: descriptor, path: name ?? String(escaping: path))
  }

  /// Takes ownership of a descriptor.
  init(adopting descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// An empty unlinked file in `directory`. Its space is released when the process ends, even after a crash.
  static func temporary(in directory: String) throws -> OpenFile {
    var template = Array("\(directory)/.onepass-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw OnePassError.failed(.createTemporaryFile, directory) }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return OpenFile(adopting: descriptor, path: "\(directory)/a temporary file")
  }

  /// The current size in bytes.
  func size() throws -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw OnePassError.failed(.inspect, path) }
    return Int(status.st_size)
  }

  /// The bytes `offset ..< offset + count`.
  /// - Throws: `OnePassError`: `io` if reading fails, `badData` if the file is shorter.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let target = UnsafeMutableRawPointer(buffer.baseAddress! + filled)
        let got = pread(descriptor, target, count - filled, off_t(offset + filled))
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { throw OnePassError.failed(.read, path) }
        guard got > 0 else { throw OnePassError.fileShrank(path) }
        filled += got
      }
    }
  }

  /// Writes all bytes at the descriptor's position.
  /// - Throws: `OnePassError` (`io`), for example when the disk is full.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      let wrote = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if wrote < 0, errno == EINTR { continue }
      guard wrote >= 0 else { throw OnePassError.failed(.write, path) }
      done += wrote
    }
  }
}

/// The folder for temporary files: TMPDIR, or `/tmp`.
var temporaryDirectory: String {
  let named = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
  return named.isEmpty ? "/tmp" : named
}

/// Whether a path exists, and whether it is a directory. Links are followed.
func existence(of path: String) -> (exists: Bool, isDirectory: Bool) {
  var status = stat()
  guard stat(path, &status) == 0 else { return (false, false) }
  return (true, status.st_mode & S_IFMT == S_IFDIR)
}
