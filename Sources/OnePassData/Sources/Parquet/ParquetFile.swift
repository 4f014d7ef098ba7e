import Foundation
import OnePassCore

/// The footer of a Parquet file, with its columns and the locations of their chunks.
///
/// Source: the format's parquet.thrift, version 2.11. Only the columns of images and labels are read.
struct ParquetFile {
  /// A column without lists, with at most one value per row.
  struct Column {
    let path: [String]
    /// `Type` of parquet.thrift: 1 and 2 are integers of 32 and 64 bits, 6 is bytes.
    let type: Int
    /// The maximum definition level: the number of optional fields on the path.
    let largestLevel: Int
  }

  /// The part of a column in one row group.
  struct Chunk {
    let range: Range<Int>
    let codec: Int
    let rows: Int
    let column: Column
  }

  let name: String
  let rows: Int
  let columns: [Column]
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
    let length = end[0..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard end.suffix(4).elementsEqual("PAR1".utf8), length <= min(size - 12, Self.largestFooter) else {
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
    columns = try Self.columns(of: schema, in: name)
    notes = Dictionary(
      (footer[5]?.list ?? []).compactMap { note in
        note[1]?.text.flatMap { key in note[2]?.text.map { (key, $0) } }
      }, uniquingKeysWith: { first, _ in first })
  }

  /// The number of rows in each row group.
  var groupRows: [Int] { groups.map { $0[3]?.integer ?? 0 } }

  /// The location of a column's chunk in a row group.
  /// - Throws: `OnePassError` (`badData`) if the row group lacks the column or its metadata is damaged.
  func chunk(of column: Column, group: Int) throws -> Chunk {
    let parts = groups[group][1]?.list ?? []
    let data = parts.compactMap { $0[1] == nil ? $0[3] : nil }.first { part in
      part[3]?.list?.compactMap(\.text) == column.path
    }
    guard let data, let length = data[7]?.integer, let dataStart = data[9]?.integer,
      let codec = data[4]?.integer,
      let values = data[5]?.integer
    else {
      throw OnePassError.unreadableParquet(name, .missingColumn(column.path, rowGroup: group))
    }
    let start = data[11]?.integer.map { $0 > 0 ? min($0, dataStart) : dataStart } ?? dataStart
    guard start >= 0, length > 0, length <= size, start <= size - length, values == groupRows[group] else {
      throw OnePassError.unreadableParquet(name, .damagedRowGroup(group))
    }
    return Chunk(range: start..<(start + length), codec: codec, rows: values, column: column)
  }

  /// The leaves of the schema that are not inside a list.
  private static func columns(of schema: [ThriftValue], in name: String) throws -> [Column] {
    var columns: [Column] = []
    var place = 1
    func descend(_ path: [String], level: Int, isRepeated: Bool, children: Int, depth: Int) throws {
      for _ in 0..<children {
        guard place < schema.count, depth < 32, let title = schema[place][4]?.text else {
          throw OnePassError.unreadableParquet(name, .damagedSchema)
        }
        let element = schema[place]
        place += 1
        let repetition = element[3]?.integer ?? 0
        let level = level + (repetition == 0 ? 0 : 1)
        let isRepeated = isRepeated || repetition == 2
        if let children = element[5]?.integer, children > 0 {
          try descend(
            path + [title], level: level, isRepeated: isRepeated, children: children, depth: depth + 1)
        } else if let type = element[1]?.integer, !isRepeated {
          columns.append(Column(path: path + [title], type: type, largestLevel: level))
        }
      }
    }
    guard let root = schema.first, let children = root[5]?.integer, children >= 0 else {
      throw OnePassError.unreadableParquet(name, .damagedSchema)
    }
    try descend([], level: 0, isRepeated: false, children: children, depth: 0)
    return columns
  }
}
