import Foundation
import OnePassCore

/// A record that ranks exchange.
protocol RankRecord {
  /// The minimum size of a record, in bytes.
  static var leastBytes: Int { get }

  func write(to data: inout Data)
  init(from reader: inout ByteReader) throws
}

extension RankRecord {
  /// Encodes records, preceded by their number.
  static func encode(_ records: [Self]) -> [UInt8] {
    var data = Data()
    data.append(integer: UInt64(records.count))
    for record in records { record.write(to: &data) }
    return Array(data)
  }

  static func decode(_ bytes: [UInt8], from rank: Int) throws -> [Self] {
    var reader = ByteReader(data: Data(bytes), path: "the data from rank \(rank)")
    let records = try (0..<reader.count(of: leastBytes)).map { _ in try Self(from: &reader) }
    guard reader.isAtEnd else { throw reader.damage }
    return records
  }
}
