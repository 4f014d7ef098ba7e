import CArchive
import Foundation
import OnePassCore

/// An array of bytes in the idx format of MNIST, plain or compressed with gzip.
///
/// The header is two zero bytes, the element type (8: unsigned byte), the number of dimensions, and each
/// dimension as a big-endian 32-bit number; the elements follow in C order
/// (http://yann.lecun.com/exdb/mnist, "The IDX file format").
struct IDXFile {
  let path: String
  let dimensions: [Int]
  private let file: OpenFile
  private static let longestHeader = 4 + 4 * 4

  /// Opens the file and checks its size against its header. A compressed file is unpacked once, to disk.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is not a whole idx file of bytes.
  init(path: String) throws {
    self.path = path
    let stored = try OpenFile(reading: path)
    file = path.hasSuffix(".gz") ? try Self.unpack(stored) : stored
    let size = try file.size()
    let start = try file.bytes(at: 0, count: min(size, Self.longestHeader))
    guard let header = Self.header(start) else {
      throw OnePassError(
        .badData, "\(path) is not an idx file of unsigned bytes with 1 to 4 dimensions. Fetch it again.")
    }
    dimensions = header.dimensions
    guard size == header.fileSize else {
      let shape = dimensions.map(String.init).joined(separator: " x ")
      throw OnePassError(
        .badData,
        "\(path) has \(size) bytes but its header (\(shape)) asks for \(header.fileSize). Fetch it again.")
    }
  }

  /// The elements `first ..< first + count`, in C order.
  func elements(at first: Int, count: Int) throws -> [UInt8] {
    try file.bytes(at: 4 + 4 * dimensions.count + first, count: count)
  }

  /// The dimensions and the size of the whole file in bytes, or `nil` if this is not the start of an idx file.
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

  /// A gzip file's contents in a temporary file, so that they can be read at any place.
  ///
  /// It stops as soon as there is more than the header announces: no archive can fill the disk.
  private static func unpack(_ stored: OpenFile) throws -> OpenFile {
    let corrupt = { (detail: String) in
      OnePassError(.badData, "\(stored.path) is truncated or corrupt (\(detail)). Fetch it again.")
    }
    guard let archive = archive_read_new() else {
      throw OnePassError(.engine, "libarchive could not be started; the machine may be out of memory.")
    }
    defer { archive_read_free(archive) }
    archive_read_support_filter_gzip(archive)
    archive_read_support_format_raw(archive)
    var entry: OpaquePointer?
    guard archive_read_open_fd(archive, stored.descriptor, 1 << 16) == ARCHIVE_OK,
      archive_read_next_header(archive, &entry) == ARCHIVE_OK
    else { throw corrupt(archiveMessage(archive)) }

    let unpacked = try OpenFile.temporary(in: temporaryDirectory)
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var total = 0
    var expected: Int?
    while true {
      let got = buffer.withUnsafeMutableBytes { archive_read_data(archive, $0.baseAddress, $0.count) }
      guard got >= 0 else { throw corrupt(archiveMessage(archive)) }
      if got == 0 { return unpacked }
      if total == 0 { expected = header(Array(buffer.prefix(min(got, longestHeader))))?.fileSize }
      total += got
      guard let expected, total <= expected else {
        throw corrupt("it holds something else than its header says")
      }
      try buffer.withUnsafeBytes { try unpacked.write(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
    }
  }
}

/// libarchive's own words on its last failure.
func archiveMessage(_ archive: OpaquePointer) -> String {
  archive_error_string(archive).map { String(cString: $0) } ?? "no reason given"
}
