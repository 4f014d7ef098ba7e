import Foundation
import OnePassReplay

/// 12 bytes, little-endian.
extension StoredPrediction: RankRecord {
  static let leastBytes = bytes

  func write(to data: inout Data) {
    for word in words { data.append(integer: word) }
  }

  init(from reader: inout ByteReader) throws {
    self.init(words: try (0..<3).map { _ in try reader.integer() })
  }
}
