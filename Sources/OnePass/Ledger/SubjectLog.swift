import Foundation
import OnePassCore
import OnePassReplay

/// Whom each example of the pass was about: 8 bytes of XXH3-64 an example, 0 where it says nothing.
///
/// It answers when a subject first passed, also after its examples have left the memory; the subjects themselves are not
/// in it. What is forgotten is set to 0.
struct SubjectLog {
  static let fileName = "subjects"
  static let entryBytes = 8

  let path: String
  private var data: Data

  /// - Throws: `OnePassError` (`io`) if it cannot be read.
  init(path: String) throws {
    self.path = path
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw OnePassError(.io, "\(path) cannot be read: bring it back.", cause: error)
    }
  }

  static func hash(of subject: String?) -> UInt64 {
    guard let subject else { return 0 }
    let hash = Array(subject.utf8).withUnsafeBytes { ContentHash(of: $0).low }
    return max(hash, 1)
  }

  static func bytes(of hash: UInt64) -> [UInt8] { withUnsafeBytes(of: hash.littleEndian) { Array($0) } }

  /// The positions at which a subject passed.
  func positions(of subject: String) -> [Int] {
    let wanted = Self.hash(of: subject)
    return data.withUnsafeBytes { bytes in
      (0..<bytes.count / Self.entryBytes).filter {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * Self.entryBytes, as: UInt64.self))
          == wanted
      }
    }
  }

  /// Forgets who passed at some positions.
  /// - Throws: `OnePassError` (`io`).
  mutating func clear(_ positions: [Int]) throws {
    for position in positions {
      let start = data.startIndex + position * Self.entryBytes
      data.replaceSubrange(start..<start + Self.entryBytes, with: Self.bytes(of: 0))
    }
    try DurableFile.write(data, to: path)
  }
}
