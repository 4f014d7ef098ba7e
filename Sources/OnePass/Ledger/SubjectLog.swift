import Foundation
import OnePassCore
import OnePassReplay

/// A hash of the subject of each example: 8 bytes of XXH3-64, or 0 without a subject.
///
/// It finds the first example of a subject, even after its examples have left the memory. It contains no subjects but their
/// hashes. Forgotten entries are set to 0.
struct SubjectLog {
  static let fileName = "subjects"
  static let entryBytes = 8

  let path: String
  private var data: Data

  /// - Throws: `OnePassError` (`io`) if it cannot be read.
  init(path: String) throws {
    self.path = path
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
  }

  static func hash(of subject: String?) -> UInt64 {
    guard let subject else { return 0 }
    let hash = Array(subject.utf8).withUnsafeBytes { ContentHash(of: $0).low }
    return max(hash, 1)
  }

  static func bytes(of hash: UInt64) -> [UInt8] { withUnsafeBytes(of: hash.littleEndian) { Array($0) } }

  /// The positions of the examples of a subject.
  func positions(of subject: String) -> [Int] {
    let wanted = Self.hash(of: subject)
    return data.withUnsafeBytes { bytes in
      (0..<bytes.count / Self.entryBytes).filter {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * Self.entryBytes, as: UInt64.self))
          == wanted
      }
    }
  }

  /// Erases the entries at some positions.
  /// - Throws: `OnePassError` (`io`).
  mutating func clear(_ positions: [Int]) throws {
    for position in positions {
      let start = data.startIndex + position * Self.entryBytes
      data.replaceSubrange(start..<start + Self.entryBytes, with: Self.bytes(of: 0))
    }
    try DurableFile.write(data, to: path)
  }
}
