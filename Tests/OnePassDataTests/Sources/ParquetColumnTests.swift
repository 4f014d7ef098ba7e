import Foundation
import OnePassCore
import Testing

@testable import OnePassData

/// The types, encodings and compressions of columns.
@Suite("Columns of Parquet files") struct ParquetColumnTests {
  static let files = [
    "values-delta", "values-delta-missing", "values-delta-pages", "values-split", "values-split-whole",
    "values-dictionary", "values-brotli", "values-lz4", "lz4-frame", "lz4-frames", "lz4-blocks", "lz4-bare",
  ]

  /// The value as in the reference: digits, a number, or a truth value.
  private func text(_ value: ParquetColumn.Value, _ type: ParquetType) -> String {
    switch value {
    case .integer(let number): type == .boolean ? (number == 1 ? "true" : "false") : "\(number)"
    case .bytes(let bytes): bytes.map { String(format: "%02x", $0) }.joined()
    case .missing: "-"
    }
  }

  private func text(reference value: Any, _ type: ParquetType) -> String {
    switch value {
    case let number as NSNumber where type == .boolean: number.boolValue ? "true" : "false"
    // Labels are Int, which ends in the middle of the numbers of 64 bits without a sign.
    case let number as NSNumber where type == .integer(bytes: 8, isSigned: false):
      "\(Int(clamping: number.uint64Value))"
    case let number as NSNumber: "\(number)"
    case let text as String: text
    default: "-"
    }
  }

  private func columns(of name: String) throws -> [(leaf: ParquetLeaf, values: [String])] {
    let access = try ParquetAccess(ParquetVariants.path(name), HTTPLimits())
    let (footer, read) = (try access.footer(), try access.open())
    return try footer.leaves.map { leaf in
      var values: [String] = []
      for group in footer.groupRows.indices {
        let chunk = try footer.chunk(of: leaf, group: group)
        let column = ParquetColumn(chunk, of: leaf, in: name, input: try read(chunk.range))
        while let value = try column.next() { values.append(text(value, leaf.type)) }
      }
      return (leaf, values)
    }
  }

  @Test("Columns of every type and encoding give the values that pyarrow reads", arguments: files)
  func readsWhatPyarrowReads(name: String) throws {
    let expected = try ParquetVariants.columns(of: name)
    let columns = try columns(of: name)
    #expect(columns.count == expected.count)
    for (leaf, values) in columns {
      let reference = try #require(expected[leaf.name]).map { text(reference: $0, leaf.type) }
      #expect(values == reference, "\(leaf.name) of \(name)")
    }
  }

  /// Each cannot be read by definition or by choice, and the message names the column and what it needs.
  @Test(
    "An unsupported file is refused with the column and the reason",
    arguments: [
      ("lzo", "column label: compression LZO is not supported"),
      ("codec", "column label: compression 9 is not supported"),
      ("encoding", "column label: encoding BIT_PACKED is not supported"),
      ("column", "column label is encrypted, which is not supported"),
      ("footer", "encrypted files are not supported"),
    ])
  func unsupportedFilesAreRefused(name: String, words: String) throws {
    expectError(.badData, naming: ["unreadable-\(name).parquet: \(words)"]) {
      _ = try openFixtures("unreadable-\(name)").next()
    }
  }

  /// Truncated in front of the footer, and with changed bytes: an error, or other values.
  @Test("A damaged column is refused with an error, never with a crash", arguments: files)
  func damagedColumnsAreRefused(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try contents(of: ParquetVariants.path(name))
    let access = try ParquetAccess(ParquetVariants.path(name), HTTPLimits())
    let footer = try access.footer()
    var chance = SeededGenerator(seed: 5, .test)
    for leaf in footer.leaves {
      let chunk = try footer.chunk(of: leaf, group: 0)
      for trial in 0..<60 {
        var bytes = whole
        for _ in 0...(trial % 3) {
          // Half of the changes are in the first header and the start of the first page.
          let limit = chance.nextBool() ? min(60, chunk.range.count) : chunk.range.count
          bytes[chunk.range.lowerBound + chance.next(below: limit)] = UInt8(chance.next(below: 256))
        }
        let damaged = try ParquetAccess(folder.write("damaged.parquet", bytes), HTTPLimits())
        let column = ParquetColumn(chunk, of: leaf, in: name, input: try damaged.open()(chunk.range))
        do {
          while try column.next() != nil {}
        } catch let error as OnePassError {
          #expect(error.code == .badData && error.message.hasSuffix("."), "\(error)")
        }
      }
    }
  }

  @Test("A page that is larger than its header states is refused", arguments: [0, 1, 2, 4, 5, 6, 7])
  func pagesOfOtherSizesAreRefused(code: Int) throws {
    let compression = try #require(PageCompression(rawValue: code))
    #expect(throws: ParquetDamage.self) { try compression.unpack([1, 2, 3, 4, 5, 6, 7, 8], to: 7) }
    #expect(throws: ParquetDamage.self) { try compression.unpack([], to: 1) }
    #expect(throws: ParquetDamage.self) { try compression.unpack([255, 255, 255], to: 1 << 30) }
    #expect(try compression.unpack([], to: 0) == [])
  }

  /// 1,985 equal bytes in snappy: one byte, and copies of 64 bytes that overlap their target.
  @Test("Snappy copies that overlap their target repeat it")
  func snappyCopiesRepeat() throws {
    let copy: [UInt8] = [63 << 2 | 2, 1, 0]
    let copies = Array(repeating: copy, count: 31).flatMap { $0 }
    let packed: [UInt8] = [0xC1, 0x0F, 0, 9] + copies
    #expect(try Snappy.unpack(packed, limit: 2_000) == Array(repeating: 9, count: 1_985))
    #expect(throws: ParquetDamage.self) { try Snappy.unpack(packed, limit: 1_984) }
    #expect(throws: ParquetDamage.self) { try Snappy.unpack(packed + [0, 9], limit: 2_000) }
    #expect(throws: ParquetDamage.self) { try Snappy.unpack([4, 0, 9, UInt8(2 << 2 | 2), 2, 0], limit: 9) }
  }
}
