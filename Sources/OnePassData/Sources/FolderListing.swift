import Foundation
import OnePassCore

let slash = UInt8(ascii: "/")

/// An entry of a folder. Links are followed.
struct FolderEntry {
  enum Kind { case file, folder, brokenLink, special }

  /// The name as bytes, which need not be UTF-8.
  let name: [UInt8]
  let kind: Kind

  var isHidden: Bool { name.first == UInt8(ascii: ".") }

  /// Calls `judge` with each entry of a folder, in the order of the names' bytes.
  /// - Parameters:
  ///   - path: The folder.
  ///   - report: Counts the entries that are left out.
  ///   - judge: Decides about an entry.
  /// - Returns: The values of the entries that are taken.
  /// - Throws: `OnePassError` (`io`) if the folder cannot be read; errors of `judge`.
  static func list<Taken>(
    _ path: [UInt8], into report: inout SourceReport, judge: (FolderEntry) throws -> Verdict<Taken>
  ) throws -> [Taken] {
    try entries(of: path).sorted { $0.name.lexicographicallyPrecedes($1.name) }.compactMap { entry in
      report.take(try judge(entry), named: String(escaping: path + [slash] + entry.name))
    }
  }

  private static func entries(of path: [UInt8]) throws -> [FolderEntry] {
    let shown = String(escaping: path)
    guard let stream = path.withCString({ opendir($0) }) else { throw OnePassError.failed(.list, shown) }
    defer { closedir(stream) }
    var entries: [FolderEntry] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw OnePassError.failed(.list, shown) }
        return entries
      }
      let name = Self.name(of: entry)
      if name == [46] || name == [46, 46] { continue }  // The folder itself and its parent: `.` and `..`.
      entries.append(FolderEntry(name: name, kind: kind(of: entry, named: name, in: path)))
    }
  }

  /// Reads the name in place: imported as a value, `d_name` would be copied as a tuple of 256 bytes.
  private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    let start = UnsafeRawPointer(entry).advanced(by: offset)
    return [UInt8](
      UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
  }

  /// The entry's kind. `stat` is called only for links, and on file systems that leave the type out of the listing.
  private static func kind(of entry: UnsafeMutablePointer<dirent>, named name: [UInt8], in path: [UInt8])
    -> Kind
  {
    switch Int(entry.pointee.d_type) {
    case Int(DT_REG): return .file
    case Int(DT_DIR): return .folder
    default:
      var status = stat()
      guard (path + [slash] + name).withCString({ stat($0, &status) }) == 0 else { return .brokenLink }
      switch status.st_mode & S_IFMT {
      case S_IFREG: return .file
      case S_IFDIR: return .folder
      default: return .special
      }
    }
  }
}

extension FileIdentity {
  init(_ path: [UInt8]) throws {
    var status = stat()
    guard path.withCString({ stat($0, &status) }) == 0 else {
      throw OnePassError.failed(.inspect, String(escaping: path))
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
