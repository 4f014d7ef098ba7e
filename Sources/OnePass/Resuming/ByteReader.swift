import Foundation
import OnePassCore

extension RangeReplaceableCollection<UInt8> {
  /// Appends a number, little-endian.
  mutating func append(integer value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends text with its length before it.
  mutating func append(text: String) {
    append(integer: UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}

/// Takes integers and text from bytes, one after the other, little-endian, and never reads beyond their end.
struct ByteReader {
  private let data: Data
  /// Where the bytes are from.
  private let path: String
  private var offset = 0

  init(data: Data, path: String) {
    self.data = Data(data)  // Counted from 0, also where `data` is a slice.
    self.path = path
  }

  var isAtEnd: Bool { offset == data.count }
  var damage: OnePassError { OnePassError(.badData, "\(path) is damaged: it is not what onepass wrote.") }

  mutating func bytes(_ count: Int) throws -> Data {
    guard count <= data.count - offset else { throw damage }
    defer { offset += count }
    return data[offset..<offset + count]
  }

  mutating func integer<Value: FixedWidthInteger>() throws -> Value {
    let bytes = try bytes(MemoryLayout<Value>.size)
    return bytes.reversed().reduce(Value(0)) { $0 << 8 | Value(truncatingIfNeeded: $1) }
  }

  /// A count of things of `size` bytes that are all still to come.
  mutating func count(of size: Int) throws -> Int {
    let count: UInt64 = try integer()
    guard count <= UInt64((data.count - offset) / size) else { throw damage }
    return Int(count)
  }

  /// Text with its length before it.
  mutating func text() throws -> String {
    String(decoding: try bytes(count(of: 1)), as: UTF8.self)
  }
}
