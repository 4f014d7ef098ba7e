import CArchive
import Foundation
import OnePassCore

/// An array of bytes in the idx format of MNIST, plain or compressed with gzip.
///
/// The header has two zero bytes, the element type (8: unsigned byte), the number of dimensions, and each
/// dimension as a big-endian 32-bit number. The elements follow in C order
/// (http://yann.lecun.com/exdb/mnist, "The IDX file format").
struct IDXFile {
  let path: String
  let dimensions: [Int]
  private let file: OpenFile
  private static let longestHeader = 4 + 4 * 4

  /// Opens the file and compares its size with its header. A compressed file is decompressed once, to disk.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is not a complete idx file of bytes.
  init(path: String) throws {
    self.path = path
    let stored = try OpenFile(reading: path)
    file = path.hasSuffix(".gz") ? try Self.decompress(stored) : stored
    let size = try file.size()
    let start = try file.bytes(at: 0, count: min(size, Self.longestHeader))
    guard let header = Self.header(start) else {
      throw OnePassError.isNotIDX(path)
    }
    dimensions = header.dimensions
    guard size == header.fileSize else {
      throw OnePassError.idxSizeDiffers(
        path, bytes: size, expected: header.fileSize, dimensions: dimensions)
    }
  }

  /// The elements `first ..< first + count`, in C order.
  /// - Throws: `OnePassError` (`badData`) if they exceed the budget of a source.
  func elements(at first: Int, count: Int) throws -> [UInt8] {
    let most = DecodeMemory.shared.sourceShare
    guard count <= most else {
      throw OnePassError.exceedsDecodeMemory(
        path, "a part of \(dimensions.map(String.init).joined(separator: " x ")) elements", bytes: count,
        limit: most)
    }
    return try file.bytes(at: 4 + 4 * dimensions.count + first, count: count)
  }

  /// The dimensions and the size of the whole file in bytes; `nil` if this is not the start of an idx file.
  static func header(_ start: [UInt8]) -> (dimensions: [Int], fileSize: Int)? {
    guard start.count >= 4, start[0] == 0, start[1] == 0, start[2] == 8 else { return nil }
    let rank = Int(start[3])
    guard (1...4).contains(rank), start.count >= 4 + 4 * rank else { return nil }
    let dimensions = (0..<rank).map { axis in
      start[(4 + 4 * axis)..<(8 + 4 * axis)].reduce(0) { $0 << 8 | Int($1) }
    }
    var elements = 1
    for dimension in dimensions {
      let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
      guard !overflow, product < 1 << 60 else { return nil }
      elements = product
    }
    return (dimensions, 4 + 4 * rank + elements)
  }

  /// Decompresses a gzip file into a temporary file, for random access.
  ///
  /// It stops as soon as the contents exceed the size in the idx header, so that no file can fill the disk.
  private static func decompress(_ stored: OpenFile) throws -> OpenFile {
    guard let archive = archive_read_new() else { throw OnePassError.cannotStart("libarchive") }
    defer { archive_read_free(archive) }
    archive_read_support_filter_gzip(archive)
    archive_read_support_format_raw(archive)
    var entry: OpaquePointer?
    guard archive_read_open_fd(archive, stored.descriptor, 1 << 16) == ARCHIVE_OK,
      archive_read_next_header(archive, &entry) == ARCHIVE_OK
    else { throw OnePassError.damagedGzip(stored.path, reason: archiveMessage(archive)) }

    let contents = try OpenFile.temporary(in: temporaryDirectory)
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var total = 0
    var expected: Int?
    while true {
      let got = buffer.withUnsafeMutableBytes { archive_read_data(archive, $0.baseAddress, $0.count) }
      guard got >= 0 else { throw OnePassError.damagedGzip(stored.path, reason: archiveMessage(archive)) }
      if got == 0 { return contents }
      if total == 0 { expected = header(Array(buffer.prefix(min(got, longestHeader))))?.fileSize }
      total += got
      guard let expected, total <= expected else { throw OnePassError.gzipExceedsIDXHeader(stored.path) }
      try buffer.withUnsafeBytes { try contents.write(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
    }
  }
}

/// libarchive's message about its last failure.
func archiveMessage(_ archive: OpaquePointer) -> String {
  archive_error_string(archive).map { String(cString: $0) } ?? "no reason given"
}
