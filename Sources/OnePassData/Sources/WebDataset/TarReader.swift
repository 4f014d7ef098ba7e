import CArchive
import Foundation

/// The regular files of one tar archive, plain or compressed, in the order of arrival; read by libarchive.
///
/// Archives that follow one another in one stream (`cat a.tar b.tar`) are read as one. Owned by one thread.
final class TarReader {
  /// Why an archive could not be read on; the caller knows what it is called and makes the sentence.
  struct Failure: Error {
    enum Kind { case io, corrupt, tooLarge }
    let kind: Kind
    let detail: String
  }

  private let file: OpenFile
  private let archive: OpaquePointer
  private var entry: OpaquePointer?
  private let locale: TarLocale

  /// - Parameter blockSize: bytes asked for at once; a body larger than this is not read when it is passed over.
  init(_ file: OpenFile, blockSize: Int) throws {
    guard let archive = archive_read_new() else { throw Failure(kind: .io, detail: "out of memory") }
    self.file = file
    self.archive = archive
    locale = TarLocale.shared
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_zstd(archive)
    archive_read_support_format_tar(archive)
    // An archive ends at the first block of zeros, and whatever follows would be lost without a word.
    archive_read_set_option(archive, "tar", "read_concatenated_archives", "1")
    guard archive_read_open_fd(archive, file.descriptor, blockSize) == ARCHIVE_OK else { throw failure() }
  }

  deinit { archive_read_free(archive) }

  /// Goes to the next regular file; `false` at the end of a whole archive.
  /// - Throws: `Failure`, also where the archive ends without its end mark.
  func advance() throws(Failure) -> Bool {
    while true {
      let status = locale.use { archive_read_next_header(archive, &entry) }
      switch status {
      case ARCHIVE_OK, ARCHIVE_WARN:
        // Hard links have no body of their own.
        if archive_entry_filetype(entry) == S_IFREG, archive_entry_hardlink(entry) == nil { return true }
      case ARCHIVE_EOF:
        // libarchive takes the end of the data for the end of the archive; only blocks of zeros tell that
        // nothing was cut off. They are what it consumed after the last entry's end.
        let zeros = archive_filter_bytes(archive, 0) - archive_read_header_position(archive)
        guard zeros >= 512 else { throw Failure(kind: .corrupt, detail: "its end is missing") }
        return false
      default:
        // ARCHIVE_RETRY too: libarchive would go on behind a damaged header.
        throw failure()
      }
    }
  }

  /// The path of the current file as bytes, valid until the next `advance()`.
  var name: UnsafeBufferPointer<UInt8> {
    guard let path = locale.use({ archive_entry_pathname(entry) }) else {
      return UnsafeBufferPointer(start: nil, count: 0)
    }
    return UnsafeBufferPointer(
      start: UnsafeRawPointer(path).assumingMemoryBound(to: UInt8.self), count: strlen(path))
  }

  /// The whole body of the current file.
  /// - Throws: `Failure` if it is cut off, or larger than `limit` bytes.
  func body(limit: Int) throws -> [UInt8] {
    let size = Int(archive_entry_size(entry))
    guard size >= 0, size <= limit else {
      throw Failure(kind: .tooLarge, detail: "\(size) bytes where at most \(limit) are allowed")
    }
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      while filled < size {
        let got = archive_read_data(archive, buffer.baseAddress! + filled, size - filled)
        guard got > 0 else {
          throw got < 0 ? failure() : Failure(kind: .corrupt, detail: "a file is cut off")
        }
        filled += got
      }
    }
  }

  private func failure() -> Failure {
    // Complaints about the contents carry these numbers; all others are the system's about the reading.
    let code = archive_errno(archive)
    let aboutContents = code <= 0 || code == EILSEQ || code == EINVAL || code == 79
    return Failure(kind: aboutContents ? .corrupt : .io, detail: archiveMessage(archive))
  }
}

/// A UTF-8 locale for the calls that convert names: in the C locale libarchive makes `?` of what is not ASCII.
struct TarLocale: @unchecked Sendable {
  // Because: a locale object is never changed after it is made.
  static let shared = TarLocale()
  private let locale: locale_t?

  private init() {
    locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil) ?? newlocale(LC_CTYPE_MASK, "en_US.UTF-8", nil)
  }

  @inline(__always)
  func use<Result>(_ body: () -> Result) -> Result {
    guard let locale else { return body() }
    let before = uselocale(locale)
    defer { uselocale(before) }
    return body()
  }
}
