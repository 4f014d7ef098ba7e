import Foundation
import OnePassCore

extension RangeReplaceableCollection<UInt8> {
  /// Appends a number, little-endian.
  mutating func append(integer value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends the length of a text and the text.
  mutating func append(text: String) {
    append(integer: UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}

/// Reads little-endian integers and text from bytes in order, with bounds checks.
struct ByteReader {
  private let data: Data
  /// The path of the file, for errors.
  private let path: String
  private var offset = 0

  init(data: Data, path: String) {
    self.data = Data(data)  // A copy whose indices start at 0, unlike those of a slice.
    self.path = path
  }

  var isAtEnd: Bool { offset == data.count }
  var damage: OnePassError { .damagedFile(path) }

  mutating func bytes(_ count: Int) throws -> Data {
    guard count <= data.count - offset else { throw damage }
    defer { offset += count }
    return data[offset..<offset + count]
  }

  mutating func integer<Value: FixedWidthInteger>() throws -> Value {
    let bytes = try bytes(MemoryLayout<Value>.size)
    return bytes.reversed().reduce(Value(0)) { $0 << 8 | Value(truncatingIfNeeded: $1) }
  }

  /// Reads a count of elements, and checks that as many elements of `size` bytes remain.
  mutating func count(of size: Int) throws -> Int {
    let count: UInt64 = try integer()
    guard count <= UInt64((data.count - offset) / size) else { throw damage }
    return Int(count)
  }

  /// Reads a length and a text of that length.
  mutating func text() throws -> String {
    String(decoding: try bytes(count(of: 1)), as: UTF8.self)
  }
}
