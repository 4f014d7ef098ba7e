import Foundation
import OnePassCore

/// Reads the bytes of a range.
typealias ParquetReader = (Range<Int>) throws -> any ByteInput

/// A Parquet file, on disk or at an address. It is open only while a reader of it exists.
struct ParquetAccess {
  /// The name in messages.
  let name: String
  /// The size in bytes.
  let size: Int
  /// The prefix of relative paths in the file: its folder and a slash, or nothing; `nil` at an address.
  let folder: String?
  /// Opens the file.
  let open: () throws -> ParquetReader

  /// - Throws: `OnePassError` if the file cannot be opened or has no known size.
  init(_ path: String, _ http: HTTPLimits) throws {
    if HTTPAddress.isMeant(by: path) {
      try self.init(HTTPAddress(path), http)
    } else {
      try self.init(file: path)
    }
  }

  private init(file path: String) throws {
    try checkIsFile(path, expected: .parquet)
    let state = try FileState(OpenFile(reading: path))
    (name, size) = (path, state.size)
    folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    open = {
      let file = try OpenFile(reading: path)
      guard try FileState(file) == state else { throw OnePassError.unreadableParquet(path, .changed) }
      return { FileInput(file, range: $0) }
    }
  }

  private init(_ address: HTTPAddress, _ http: HTTPLimits) throws {
    let start = HTTPInput(address, range: 0..<4, limits: http)
    _ = try Self.bytes(0..<4, of: "\(address)") { _ in start }
    guard let size = start.wholeSize else { throw OnePassError.remoteFileOfUnknownSize("\(address)") }
    (name, self.size, folder) = ("\(address)", size, nil)
    // Knows the version of the file, and has no connection.
    let version = HTTPInput(address, range: 0..<0, like: start, limits: http)
    open = { { HTTPInput(address, range: $0, like: version, limits: http) } }
  }

  /// The footer.
  /// - Throws: `OnePassError` if it cannot be read.
  func footer() throws -> ParquetFile {
    let read = try open()
    return try ParquetFile(name, size: size) { try Self.bytes($0, of: name, by: read) }
  }

  private static func bytes(
    _ range: Range<Int>, of name: String, by read: ParquetReader
  ) throws -> [UInt8] {
    let input = try read(range)
    do throws(any Error) {
      return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
        let target = UnsafeMutableRawBufferPointer(buffer)
        while filled < range.count {
          let got = try input.read(
            into: UnsafeMutableRawBufferPointer(rebasing: target[filled..<range.count]))
          guard got > 0 else { throw OnePassError.unreadableParquet(name, .shrank) }
          filled += got
        }
      }
    } catch let failure as ReadFailure {
      throw failure.error(in: name, at: .byte(range.lowerBound))
    }
  }
}

/// What changes when a file is replaced or written to.
private struct FileState: Equatable {
  let identity: FileIdentity
  let size: Int
  let modified: Int

  init(_ file: OpenFile) throws {
    var status = stat()
    guard fstat(file.descriptor, &status) == 0 else { throw OnePassError.failed(.inspect, file.path) }
    #if os(macOS)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    identity = FileIdentity(status)
    size = Int(status.st_size)
    modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
  }
}
