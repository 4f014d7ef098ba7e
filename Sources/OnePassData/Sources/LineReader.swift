import Foundation
import OnePassCore

/// The lines of a UTF-8 text file or pipe, in order.
///
/// The file is read in blocks, and a line has a maximum length. A binary file (an archive named by mistake)
/// is therefore rejected at its start and never loaded into memory.
struct LineReader {
  /// In bytes. Paths have at most 4,096 bytes on Linux; the rest is for the label.
  static let longestLine = 8192

  let path: String
  /// The number of the line that `next` returned last, starting at 1.
  private(set) var number = 0
  let file: OpenFile
  private var block: [UInt8] = []
  /// The offset of the next line in the block.
  private var start = 0
  private static let blockSize = 1 << 16

  /// - Throws: `OnePassError` (`io`) if the file cannot be opened.
  init(_ path: String) throws {
    self.path = path
    file = try OpenFile(reading: path)
  }

  /// The next line without its end (LF or CR LF); `nil` after the last.
  /// - Throws: `OnePassError`: `io` if reading fails, `badData` if the line is too long or not UTF-8 text.
  mutating func next() throws -> String? {
    var searched = start
    while true {
      if let end = block[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return try text(of: block[start..<end])
      }
      // Checked before the next block is read: a file without line ends would otherwise be read to its end.
      guard block.count - start <= Self.longestLine else { throw tooLong(number + 1) }
      block.removeSubrange(..<start)
      start = 0
      searched = block.count
      let more = try nextBlock()
      guard !more.isEmpty else { break }
      block += more
    }
    guard !block.isEmpty else { return nil }
    // The last line may lack its end.
    defer { block = [] }
    return try text(of: block[...])
  }

  /// Calls `judge` with each entry of a list: each line that is neither empty nor a comment, which starts with `#`.
  /// - Parameters:
  ///   - report: Counts the entries that are left out.
  ///   - judge: Decides about the entry with this text and line number.
  ///   - take: Receives the value of each entry that is taken, and its line number.
  mutating func walk<Taken>(
    into report: inout SourceReport, judging judge: (String, Int) throws -> Verdict<Taken>,
    taking take: (Taken, Int) throws -> Void
  ) throws {
    while let line = try next() {
      let text = Self.trimmed(line[...])
      if text.isEmpty || text.hasPrefix("#") { continue }
      guard let taken = report.take(try judge(text, number), named: "\(path):\(number)") else { continue }
      try take(taken, number)
    }
  }

  /// Text without spaces and tabs around it.
  static func trimmed(_ text: Substring) -> String {
    func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    let bytes = text.utf8
    guard let last = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(Substring(bytes[...last].drop(while: isBlank)))
  }

  private mutating func text(of line: ArraySlice<UInt8>) throws -> String {
    number += 1
    guard line.count <= Self.longestLine else { throw tooLong(number) }
    var line = line
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    // Some editors start a text with a byte order mark, which belongs to no line.
    if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    // A zero byte is valid UTF-8 but never part of a path: it is a sign of UTF-16 text and binary files.
    guard !line.contains(0), let text = String(validating: line, as: UTF8.self) else {
      throw OnePassError.lineIsNotUTF8(number, of: path)
    }
    return text
  }

  private func tooLong(_ number: Int) -> OnePassError {
    OnePassError.lineIsTooLong(number, of: path, limit: Self.longestLine)
  }

  /// The file's next bytes; empty at its end.
  private func nextBlock() throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: Self.blockSize) { buffer, filled in
      repeat {
        filled = read(file.descriptor, buffer.baseAddress, buffer.count)
      } while filled < 0 && errno == EINTR
      guard filled >= 0 else {
        filled = 0
        throw OnePassError.failed(.read, path)
      }
    }
  }
}
