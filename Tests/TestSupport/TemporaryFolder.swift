import Foundation

/// A folder for one test, which is removed with the last reference to it.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    path = NSTemporaryDirectory() + "onepass-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  public func file(_ name: String) -> String { "\(path)/\(name)" }

  public func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

  /// The names in the folder, including hidden ones.
  public var contents: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
  }

  public func write(_ bytes: [UInt8], to name: String) throws {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  /// The number of occurrences of a text in all files below the folder.
  public func occurrences(of text: String) throws -> Int {
    try (FileManager.default.subpathsOfDirectory(atPath: path)).reduce(0) { sum, name in
      guard let bytes = FileManager.default.contents(atPath: file(name)) else { return sum }
      var (found, from) = (0, bytes.startIndex)
      while let range = bytes.range(of: Data(text.utf8), in: from..<bytes.endIndex) {
        (found, from) = (found + 1, range.upperBound)
      }
      return sum + found
    }
  }

  public func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }
}
