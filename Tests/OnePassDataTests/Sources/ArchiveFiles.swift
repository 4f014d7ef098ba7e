import Foundation

// Archives written without a library, for entries that usual libraries do not write.

/// A link in a tar: a header of this type with the target, and no body.
func tarLink(_ name: String, to target: String, isHard: Bool = false) -> [UInt8] {
  var header = Array(tarEntry(name, []).prefix(512))
  header[156] = UInt8(ascii: isHard ? "1" : "2")
  header.replaceSubrange(157..<(157 + target.utf8.count), with: target.utf8)
  return withChecksum(header)
}

/// A tar entry of any type without a body.
func tarSpecial(_ name: String, type: UInt8) -> [UInt8] {
  var header = Array(tarEntry(name, []).prefix(512))
  header[156] = type
  return withChecksum(header)
}

private func withChecksum(_ header: [UInt8]) -> [UInt8] {
  var header = header
  header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
  let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
  header.replaceSubrange(
    148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
  return header
}

/// An entry of a zip archive.
struct ZipFile {
  var name: [UInt8]
  var body: [UInt8] = [1]
  /// 0 is MS-DOS, 3 is Unix.
  var system: UInt8 = 3
  /// The Unix mode, as for regular files.
  var mode: UInt16 = 0o100644

  init(_ name: String, body: [UInt8] = [1]) { (self.name, self.body) = (Array(name.utf8), body) }

  init(bytes name: [UInt8], body: [UInt8] = [1]) { (self.name, self.body) = (name, body) }
}

/// A zip archive with stored entries (PKWARE's APPNOTE 6.3.10).
func zipBytes(_ files: [ZipFile]) -> [UInt8] {
  var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
  func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  for file in files {
    let facts =
      little(20, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(Int(crc32(file.body)), 4)
      + little(file.body.count, 4) + little(file.body.count, 4) + little(file.name.count, 2) + little(0, 2)
    directory +=
      little(0x0201_4B50, 4) + [20, file.system] + facts + little(0, 2) + little(0, 2) + little(0, 2)
      + little(Int(file.mode) << 16, 4) + little(bytes.count, 4) + file.name
    bytes += little(0x0403_4B50, 4) + facts + file.name + file.body
  }
  let start = bytes.count
  return bytes + directory + little(0x0605_4B50, 4) + little(0, 4) + little(files.count, 2)
    + little(files.count, 2) + little(directory.count, 4) + little(start, 4) + little(0, 2)
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~0 as UInt32) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
  }
}
