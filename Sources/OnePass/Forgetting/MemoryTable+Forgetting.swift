import Foundation
import OnePassCore

extension MemoryTable {
  /// Removes the rows of items from a table on disk, and overwrites their bytes.
  ///
  /// The table remains readable throughout: rows are overwritten by line ends, and readers skip empty lines.
  /// - Throws: `OnePassError` (`io`). Repeat the call to continue.
  static func remove(_ ids: Set<Int>, from path: String) throws {
    let separator = UInt8(ascii: "\n")
    let lines: [Data]
    let gone: [Data]
    do {
      lines = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: separator)
      gone = lines.dropFirst().filter { row in
        Int(String(decoding: row.prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self)).map(ids.contains)
          ?? false
      }
      guard !gone.isEmpty else { return }
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      defer { try? file.close() }
      for row in gone {
        try file.seek(toOffset: UInt64(row.startIndex))
        try file.write(contentsOf: Data(repeating: separator, count: row.count))
      }
      try file.synchronize()
    } catch {
      throw OnePassError.unwritableFile(path, cause: error)
    }
    let starts = Set(gone.map(\.startIndex))
    let rest = lines.filter { !starts.contains($0.startIndex) }
    try DurableFile.write(Data(rest.flatMap { $0 + [separator] }), to: path)
  }
}
