import Foundation
import OnePassCore

/// The footer of a Parquet file, with its columns and the locations of their chunks.
///
/// Source: the format's parquet.thrift, version 2.11.
struct ParquetFile {
  /// The part of a column in one row group.
  struct Chunk {
    let range: Range<Int>
    /// `CompressionCodec` of parquet.thrift.
    let codec: Int
    let rows: Int
    /// The number of rows without a value; `nil` if the file does not state it.
    let missing: Int?
  }

  let name: String
  let rows: Int
  let leaves: [ParquetLeaf]
  /// The key-value metadata.
  let notes: [String: String]
  private let groups: [ThriftValue]
  private let size: Int

  /// The maximum size of a footer, in bytes.
  static let largestFooter = 256 << 20

  /// - Parameters:
  ///   - name: The file's name in error messages.
  ///   - size: The size of the file in bytes.
  ///   - read: Reads a range of bytes.
  /// - Throws: `OnePassError` (`badData`) if it is not a readable Parquet file; errors of `read`.
  init(_ name: String, size: Int, read: (Range<Int>) throws -> [UInt8]) throws {
    self.name = name
    self.size = size
    guard size >= 12 else { throw OnePassError.unreadableParquet(name, .noFooter) }
    let end = try read((size - 8)..<size)
    if end.suffix(4).elementsEqual("PARE".utf8) {
      throw OnePassError.unreadableParquet(name, .encrypted)
    }
    let length = littleEndian(end, at: 0, count: 4)
    guard end.suffix(4).elementsEqual("PAR1".utf8),
      length <= min(size - 12, Self.largestFooter, DecodeMemory.shared.sourceShare)
    else {
      throw OnePassError.unreadableParquet(name, .noFooter)
    }
    let footer: ThriftValue
    do throws(any Error) {
      let bytes = try read((size - 8 - length)..<(size - 8))
      footer = try ThriftValue.structure(in: bytes[...]).value
    } catch is ThriftValue.Damage { throw OnePassError.unreadableParquet(name, .damagedFooter) }
    guard let schema = footer[2]?.list, let groups = footer[4]?.list, let rows = footer[3]?.integer,
      rows >= 0,
      groups.allSatisfy({ ($0[3]?.integer ?? -1) >= 0 }),
      // No group has more rows than the file, and the sum is a Double, so that nothing overflows.
      groups.allSatisfy({ ($0[3]?.integer ?? 0) <= rows }),
      groups.reduce(0.0, { $0 + Double($1[3]?.integer ?? 0) }) == Double(rows)
    else { throw OnePassError.unreadableParquet(name, .damagedFooter) }
    self.rows = rows
    self.groups = groups
    leaves = try ParquetLeaf.leaves(of: schema, in: name)
    notes = Dictionary(
      (footer[5]?.list ?? []).compactMap { note in
        note[1]?.text.flatMap { key in note[2]?.text.map { (key, $0) } }
      }, uniquingKeysWith: { first, _ in first })
  }

  /// The number of rows in each row group.
  var groupRows: [Int] { groups.map { $0[3]?.integer ?? 0 } }

  /// The location of a column's chunk in a row group.
  /// - Throws: `OnePassError` (`badData`) if the row group lacks the column, it is encrypted, or its metadata is damaged.
  func chunk(of leaf: ParquetLeaf, group: Int) throws -> Chunk {
    let rows = groups[group][3]?.integer ?? 0
    let parts = groups[group][1]?.list ?? []
    let found = parts.first { part in
      part[1] == nil && Self.path(of: part) == leaf.path
    }
    if let found, found[8] != nil || found[9] != nil {
      throw OnePassError.unreadableParquet(name, .encryptedColumn(leaf.path))
    }
    guard let data = found?[3], let length = data[7]?.integer, let dataStart = data[9]?.integer,
      let codec = data[4]?.integer,
      let values = data[5]?.integer
    else {
      throw OnePassError.unreadableParquet(name, .missingColumn(leaf.path, rowGroup: group))
    }
    let start = data[11]?.integer.map { $0 > 0 ? min($0, dataStart) : dataStart } ?? dataStart
    let missing = leaf.largestLevel == 0 ? 0 : data[12]?[3]?.integer
    guard start >= 0, length > 0, length <= size, start <= size - length, values == rows,
      (0...rows).contains(missing ?? 0)
    else {
      throw OnePassError.unreadableParquet(name, .damagedRowGroup(group))
    }
    return Chunk(range: start..<(start + length), codec: codec, rows: values, missing: missing)
  }

  /// The column of a chunk: in its metadata, or if these are encrypted, beside its key.
  private static func path(of part: ThriftValue) -> [String]? {
    (part[3]?[3] ?? part[8]?[2]?[1])?.list?.compactMap(\.text)
  }
}
