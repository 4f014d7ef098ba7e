import Foundation
import OnePassCore

let slash = UInt8(ascii: "/")

/// The visible files and folders of one folder, sorted by the bytes of their names. Links are followed.
struct FolderListing {
  private(set) var files: [[UInt8]] = []
  private(set) var folders: [[UInt8]] = []

  /// - Throws: `OnePassError` (`io`) if the folder cannot be read.
  init(_ path: [UInt8]) throws {
    let shown = String(decoding: path, as: UTF8.self)
    guard let stream = path.withCString({ opendir($0) }) else { throw OnePassError.failed(.list, shown) }
    defer { closedir(stream) }
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw OnePassError.failed(.list, shown) }
        break
      }
      let name = Self.name(of: entry)
      if name.first == UInt8(ascii: ".") { continue }
      switch Self.kind(of: entry, named: name, in: path) {
      case S_IFREG: files.append(name)
      case S_IFDIR: folders.append(name)
      default: continue
      }
    }
    files.sort { $0.lexicographicallyPrecedes($1) }
    folders.sort { $0.lexicographicallyPrecedes($1) }
  }

  /// Reads the name in place: imported as a value, `d_name` would be copied as a tuple of 256 bytes.
  private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    let start = UnsafeRawPointer(entry).advanced(by: offset)
    return [UInt8](
      UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
  }

  /// The entry's type. `stat` is called only for links, and on file systems that leave the type out of the listing.
  private static func kind(of entry: UnsafeMutablePointer<dirent>, named name: [UInt8], in path: [UInt8])
    -> mode_t
  {
    switch Int(entry.pointee.d_type) {
    case Int(DT_REG): return S_IFREG
    case Int(DT_DIR): return S_IFDIR
    default:
      var status = stat()
      guard (path + [slash] + name).withCString({ stat($0, &status) }) == 0 else { return 0 }
      return status.st_mode & S_IFMT
    }
  }
}

extension FileIdentity {
  init(_ path: [UInt8]) throws {
    var status = stat()
    guard path.withCString({ stat($0, &status) }) == 0 else {
      throw OnePassError.failed(.inspect, String(decoding: path, as: UTF8.self))
    }
    self.init(status)
  }
}

extension [UInt8] {
  /// These bytes as a C string. A path has no zero byte.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try (self + [0]).withUnsafeBytes { try body($0.assumingMemoryBound(to: CChar.self).baseAddress!) }
  }
}
