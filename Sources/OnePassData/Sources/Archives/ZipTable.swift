import CArchive
import Foundation
import OnePassCore

/// A zip archive of image files in one folder for each class, read as it lies.
///
/// The archive's list is read once, then each image from where it lies, so that it can be had in any order. One folder
/// around all class folders (`photos/cat/…`, `photos/dog/…`) is none of the classes. Labels and order are those of the
/// folder that the archive unpacks to; see ``FolderTable``.
public struct ZipTable: ExampleTable {
  public var count: Int { images.count }
  public var classCount: Int { images.classNames.count }
  public var classNames: [String]? { images.classNames }
  private let file: OpenFile
  private let images: ArchivedImages
  /// Where the entries lie.
  private let body: Range<Int>

  /// - Parameters:
  ///   - path: the archive.
  ///   - classNames: if given, the label of a class folder is its place in this list.
  /// - Throws: `OnePassError`: `io` if it cannot be read; `badData` if it is no whole zip archive, is encrypted, holds no
  ///   image in a class folder, or a class is not among `classNames`.
  public init(_ path: String, classNames: [String]? = nil) throws {
    file = try OpenFile(reading: path)
    let directory = try ZipDirectory(file)
    body = directory.body
    var builder = ArchivedImages.Builder(archive: path)
    try directory.walk { entry in
      guard !entry.isEncrypted else {
        throw OnePassError(
          .badData,
          "\(path) is encrypted (\(String(decoding: entry.name, as: UTF8.self))). Write it again without a password."
        )
      }
      try builder.add(entry.name, at: .init(offset: entry.offset, size: entry.size))
    }
    images = try builder.images(named: classNames, strippingCommonFolder: true)
  }

  public func label(at row: Int) -> Int { images.label(at: row) }

  /// - Throws: `OnePassError`: `io` if reading fails, `badData` if the entry is damaged: zip has a checksum.
  public func image(at row: Int) throws -> EncodedImage {
    let place = images.place(at: row)
    let entry = ZipEntry(FileInput(file, range: place.offset..<body.upperBound))
    do throws(ReadFailure) { return EncodedImage(bytes: try entry.bytes(count: place.size)) } catch {
      throw error.error(of: "The file", images.path(at: row), at: "when it was unpacked")
    }
  }

  /// The path of the archive and of the image in it.
  public func path(at row: Int) -> String? { images.path(at: row) }
}

/// One entry of a zip archive on its way through libarchive. Owned by one thread.
private final class ZipEntry {
  private let input: FileInput
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var readFailure: ReadFailure?

  /// - Parameter input: What begins with the entry's local header.
  init(_ input: FileInput) { self.input = input }

  deinit { buffer.deallocate() }

  /// The unpacked bytes, of which there have to be so many.
  func bytes(count: Int) throws(ReadFailure) -> [UInt8] {
    guard let archive = archive_read_new() else {
      throw ReadFailure(kind: .io, detail: "out of memory")
    }
    defer { archive_read_free(archive) }
    archive_read_support_format_zip_streamable(archive)
    // The archive is freed before this function returns, so the reference needs no owner of its own.
    let owner = Unmanaged.passUnretained(self).toOpaque()
    var entry: OpaquePointer?
    let status = archive_read_open(
      archive, owner, nil,
      { _, owner, block in
        guard let owner, let block else { return -1 }
        return Unmanaged<ZipEntry>.fromOpaque(owner).takeUnretainedValue().supply(block)
      }, nil)
    // It warns of names that the locale cannot show; they are taken from the archive's list.
    guard status == ARCHIVE_OK,
      [ARCHIVE_OK, ARCHIVE_WARN].contains(archive_read_next_header(archive, &entry))
    else { throw failure(archive) }
    // Memory is taken as bytes come, not as the list promises them.
    var bytes: [UInt8] = []
    while bytes.count <= count {
      var block: UnsafeRawPointer?
      var size = 0
      var offset: la_int64_t = 0
      let status = archive_read_data_block(archive, &block, &size, &offset)
      // The checksum is compared at the end.
      if status == ARCHIVE_EOF { break }
      guard status == ARCHIVE_OK else { throw failure(archive) }
      bytes += UnsafeRawBufferPointer(start: block, count: size)
    }
    guard bytes.count == count else {
      throw ReadFailure(
        kind: .corrupt, detail: "it does not have the \(count) bytes that the list tells")
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
    readFailure ?? ReadFailure(kind: .corrupt, detail: archiveMessage(archive))
  }
}

/// `zip:FILE`.
func openZip(_ request: SourceRequest) throws -> any ExampleSource {
  let path = try request.requiredArgument(
    "zip:FILE, where FILE is a zip archive with a folder for each class")
  try checkArchive(path, remedy: "Write folder:\(path) if its folders are the classes.")
  return try request.shuffled(ZipTable(path, classNames: request.classNames))
}
