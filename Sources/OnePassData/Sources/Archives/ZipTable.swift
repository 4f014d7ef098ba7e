import CArchive
import Foundation
import OnePassCore

/// A zip archive of image files in one folder per class, read in place.
///
/// The archive's directory is read once, and each image on request. A folder that contains all class folders
/// (`photos/cat/…`, `photos/dog/…`) is ignored. Labels and order are those of the folder that the archive unpacks
/// to; see ``FolderTable``.
///
/// ```swift
/// let stream = ShuffledSource(try ZipTable("photos.zip"), specification: "zip:photos.zip", seed: 1)
/// ```
public struct ZipTable: ExampleTable {
  /// The number of images.
  public var count: Int { images.count }
  /// The number of classes.
  public var classCount: Int { images.classNames.count }
  /// The names of the classes in label order.
  public var classNames: [String]? { images.classNames }
  private let file: OpenFile
  private let images: ArchivedImages
  /// The byte range of the entries.
  private let body: Range<Int>

  /// The entries that were left out, and what was chosen.
  public var report: SourceReport { images.report }

  /// Reads the archive's directory.
  /// - Parameters:
  ///   - path: The archive.
  ///   - classNames: The classes in label order; the sorted names of the class folders if `nil`.
  /// - Throws: `OnePassError`: `io` if the archive cannot be read; `badData` if it is incomplete or encrypted, has no
  ///   image in a class folder, or has a class that is not in `classNames`.
  public init(_ path: String, classNames: [String]? = nil) throws {
    file = try OpenFile(reading: path)
    let directory = try ZipDirectory(file)
    body = directory.body
    var builder = ArchivedImages.Builder(archive: path)
    var report = SourceReport()
    var hasBackslashes = false
    try directory.walk(into: &report) { entry -> Verdict<(name: [UInt8], place: ArchivedImages.Place)> in
      guard !entry.isEncrypted else {
        throw OnePassError.encryptedZip(path, entry: String(escaping: entry.name))
      }
      if entry.hasBackslashes { hasBackslashes = true }
      if entry.isLink { return .leaveOut(.archiveLink) }
      return ArchivedImages.Builder.judge(entry.name).map {
        ($0, .init(offset: entry.offset, size: entry.size))
      }
    } taking: {
      try builder.add($0.name, at: $0.place)
    }
    if hasBackslashes {
      report.choose(
        "the separator of paths", taken: "backslash, as old Windows programs write it", others: [])
    }
    builder.report = report
    images = try builder.images(named: classNames, strippingCommonFolder: true)
  }

  /// The class of the image in this row, `0 ..< count`.
  public func label(at row: Int) -> Int { images.label(at: row) }

  /// The image file in this row.
  /// - Throws: `OnePassError`: `io` if reading fails, `badData` if the entry's checksum is wrong.
  public func image(at row: Int) throws -> EncodedImage {
    let place = images.place(at: row)
    let entry = ZipEntry(FileInput(file, range: place.offset..<body.upperBound))
    do throws(ReadFailure) { return EncodedImage(bytes: try entry.bytes(count: place.size)) } catch {
      throw error.error(in: images.path(at: row), at: .decompressing)
    }
  }

  /// The path of the archive, followed by the image's path in it.
  public func path(at row: Int) -> String? { images.path(at: row) }

  /// Whether the labels are positions among the sorted names of the classes.
  public var labelsFollowNames: Bool { images.labelsFollowNames }

  /// The path in the archive, the label and the size of the image in this row.
  public func listed(at row: Int) -> ListedEntry { images.listed(at: row) }
}

/// One entry of a zip archive, decompressed with libarchive. Owned by one thread.
private final class ZipEntry {
  private let input: FileInput
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var readFailure: ReadFailure?

  /// - Parameter input: Bytes that start with the entry's local header.
  init(_ input: FileInput) { self.input = input }

  deinit { buffer.deallocate() }

  /// The decompressed entry.
  /// - Throws: `ReadFailure` if it does not have `count` bytes.
  func bytes(count: Int) throws(ReadFailure) -> [UInt8] {
    guard let archive = archive_read_new() else {
      throw ReadFailure.outOfMemory
    }
    defer { archive_read_free(archive) }
    archive_read_support_format_zip_streamable(archive)
    // The archive is freed before this function returns, so an unretained reference is safe.
    let owner = Unmanaged.passUnretained(self).toOpaque()
    var entry: OpaquePointer?
    let status = archive_read_open(
      archive, owner, nil,
      { _, owner, block in
        guard let owner, let block else { return -1 }
        return Unmanaged<ZipEntry>.fromOpaque(owner).takeUnretainedValue().supply(block)
      }, nil)
    // libarchive warns about names that the locale cannot represent. The names are read from the directory instead.
    guard status == ARCHIVE_OK,
      [ARCHIVE_OK, ARCHIVE_WARN].contains(archive_read_next_header(archive, &entry))
    else { throw failure(archive) }
    // Memory grows with the bytes read, because the size in the directory may be wrong.
    var bytes: [UInt8] = []
    while bytes.count <= count {
      var block: UnsafeRawPointer?
      var size = 0
      var offset: la_int64_t = 0
      let status = archive_read_data_block(archive, &block, &size, &offset)
      // libarchive compares the checksum at the end.
      if status == ARCHIVE_EOF { break }
      guard status == ARCHIVE_OK else { throw failure(archive) }
      bytes += UnsafeRawBufferPointer(start: block, count: size)
    }
    guard bytes.count == count else {
      throw ReadFailure.entrySizeDiffers(expected: count)
    }
    return bytes
  }

  /// libarchive's read callback: the next bytes, 0 at the end, −1 on failure.
  private func supply(_ block: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
    block.pointee = UnsafeRawPointer(buffer.baseAddress)
    do { return try input.read(into: buffer) } catch {
      readFailure = error
      return -1
    }
  }

  private func failure(_ archive: OpaquePointer) -> ReadFailure {
    readFailure ?? .decompression(archiveMessage(archive))
  }
}

/// `zip:FILE`.
func openZip(_ request: SourceRequest) throws -> any ExampleSource {
  let path = try request.requiredArgument(
    "zip:FILE, where FILE is a zip archive with one folder per class")
  try checkIsFile(path, expected: .zip)
  return try request.shuffled(ZipTable(path, classNames: request.classNames))
}
