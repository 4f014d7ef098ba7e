import CArchive
import Foundation
import OnePassCore

/// libarchive's `AE_IFREG`, a macro that Swift does not import.
private let regularFile: UInt32 = 0o100000

/// Writes one tar archive, plain or compressed. The same entries give the same bytes. Owned by one thread.
final class TarWriter {
  enum Compression {
    case none, gzip, zstd

    /// The compression for a path's extension; `nil` if it is unknown.
    init?(path: String) {
      if path.hasSuffix(".tar") {
        self = .none
      } else if path.hasSuffix(".tar.gz") || path.hasSuffix(".tgz") {
        self = .gzip
      } else if path.hasSuffix(".tar.zst") {
        self = .zstd
      } else {
        return nil
      }
    }
  }

  /// `nil` in memory.
  private let file: OpenFile?
  private let archive: OpaquePointer
  private let entry: OpaquePointer

  /// - Parameter file: A new file. The caller removes it if writing fails.
  convenience init(_ file: OpenFile, _ compression: Compression) throws {
    try self.init(into: file)
    switch compression {
    case .none: break
    case .gzip:
      archive_write_add_filter_gzip(archive)
      archive_write_set_filter_option(archive, "gzip", "timestamp", nil)
    case .zstd: archive_write_add_filter_zstd(archive)
    }
    try check(archive_write_open_fd(archive, file.descriptor))
  }

  /// The bytes of an archive of files.
  static func bytes(of files: [(name: String, body: [UInt8])]) throws -> [UInt8] {
    let block = TarReader.headerSize
    // A header and the padding of each body, and the end in blocks of libarchive.
    let most = files.reduce(20 * block) { $0 + 2 * block + $1.body.count }
    let writer = try TarWriter(into: nil)
    var used = 0
    return try [UInt8](unsafeUninitializedCapacity: 2 * most) { buffer, count in
      archive_write_set_bytes_in_last_block(writer.archive, 1)
      try writer.check(archive_write_open_memory(writer.archive, buffer.baseAddress, buffer.count, &used))
      for file in files { try writer.append(file.name, file.body) }
      try writer.check(archive_write_close(writer.archive))
      count = used
    }
  }

  private init(into file: OpenFile?) throws {
    self.file = file
    guard let archive = archive_write_new(), let entry = archive_entry_new() else {
      throw OnePassError.cannotStart("libarchive")
    }
    self.archive = archive
    self.entry = entry
    archive_write_set_format_ustar(archive)
  }

  deinit {
    archive_entry_free(entry)
    archive_write_free(archive)
  }

  func append(_ name: String, _ body: [UInt8]) throws {
    archive_entry_clear(entry)
    archive_entry_set_pathname(entry, name)
    archive_entry_set_size(entry, la_int64_t(body.count))
    archive_entry_set_filetype(entry, regularFile)
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_mtime(entry, 0, 0)
    try check(archive_write_header(archive, entry))
    let wrote = body.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
    guard wrote == body.count else { throw failure() }
  }

  /// Writes the end of the archive and synchronises the file with the disk.
  func finish() throws {
    try check(archive_write_close(archive))
    guard let file else { return }
    guard fsync(file.descriptor) == 0 else {
      throw OnePassError.failed(.write, file.path)
    }
  }

  private func check(_ status: Int32) throws {
    guard status == ARCHIVE_OK else { throw failure() }
  }

  private func failure() -> OnePassError {
    OnePassError.cannotWrite(file?.path ?? "tar", reason: archiveMessage(archive))
  }
}

extension OpenFile {
  /// Creates a file for writing.
  /// - Throws: `OnePassError` (`io`) if it cannot be created or already exists.
  convenience init(creating path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw OnePassError.failed(.create, path) }
    self.init(adopting: descriptor, path: path)
  }
}
