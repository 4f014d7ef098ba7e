import Foundation

/// The record format of TensorFlow: each record with its length and checksums of both.
///
/// ```
/// length  8 bytes, little-endian
/// check   4 bytes, masked CRC-32C of the length
/// record
/// check   4 bytes, masked CRC-32C of the record
/// ```
///
/// Source: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
enum RecordFile {
  private static let frameBytes = 16

  static func framed(_ record: Data) -> [UInt8] {
    let length = littleEndian(UInt64(record.count))
    return length + littleEndian(maskedChecksum(length)) + record + littleEndian(maskedChecksum(record))
  }

  /// Reads the intact records at the start of a file.
  /// - Returns: The records and their total size in bytes. It is the size of the file unless that is truncated or damaged.
  static func records(in file: Data) -> (records: [Data], bytes: Int) {
    var records: [Data] = []
    var rest = file[...]
    while rest.count >= frameBytes {
      let length = rest.prefix(8)
      let count: UInt64 = integer(length)
      guard maskedChecksum(length) == integer(rest.dropFirst(8).prefix(4)),
        count <= rest.count - frameBytes
      else { break }
      let record = rest.dropFirst(12).prefix(Int(count))
      guard maskedChecksum(record) == integer(rest.dropFirst(12 + Int(count)).prefix(4)) else { break }
      records.append(record)
      rest = rest.dropFirst(frameBytes + Int(count))
    }
    return (records, file.count - rest.count)
  }

  /// A rotated checksum plus a constant, since the CRC of data that contains its own CRC is degenerate.
  static func maskedChecksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let checksum = checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }

  /// CRC-32C (Castagnoli), as in RFC 3720, appendix B.4.
  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { remainder, byte in
      remainder >> 8 ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)]
    }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  private static func integer<Integer: FixedWidthInteger>(_ bytes: Data) -> Integer {
    bytes.reversed().reduce(0) { $0 << 8 | Integer($1) }
  }
}
