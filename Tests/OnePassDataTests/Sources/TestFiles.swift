import Foundation

/// A folder that is deleted with the object.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "onepass-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and creates its parent folders; returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file.path
  }

  /// Everything in the folder, hidden files too.
  var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

func contents(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// The bytes of an idx file.
func idxBytes(_ dimensions: [Int], _ elements: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(dimensions.count)]
    + dimensions.flatMap { size in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) } } + elements
}

/// A ustar archive after POSIX.1-1988, written without a library.
func tarBytes(_ entries: [(name: String, body: [UInt8])], endBlocks: Int = 2) -> [UInt8] {
  var bytes: [UInt8] = []
  for (name, body) in entries { bytes += tarEntry(name, body) }
  return bytes + [UInt8](repeating: 0, count: 512 * endBlocks)
}

func tarEntry(_ name: String, _ body: [UInt8]) -> [UInt8] {
  var header = [UInt8](repeating: 0, count: 512)
  func put(_ text: String, at offset: Int) {
    header.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
  }
  func octal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: digits - text.count) + text
  }
  put(name, at: 0)
  put("0000644", at: 100)
  put("0000000", at: 108)
  put("0000000", at: 116)
  put(octal(body.count, digits: 11), at: 124)
  put("00000000000", at: 136)
  put("        ", at: 148)
  put("0", at: 156)
  put("ustar", at: 257)
  put("00", at: 263)
  put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
  return header + body + [UInt8](repeating: 0, count: (512 - body.count % 512) % 512)
}

/// Samples `first ..< first + count` with the label `number % 3` and an image that contains the number.
func tarSamples(
  _ count: Int, from first: Int = 0, image: (Int) -> [UInt8] = { Array("image \($0)".utf8) }
) -> [(name: String, body: [UInt8])] {
  (first..<(first + count)).flatMap { number -> [(name: String, body: [UInt8])] in
    [("\(number).jpg", image(number)), ("\(number).cls", Array("\(number % 3)".utf8))]
  }
}
