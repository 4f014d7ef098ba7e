import CBrokers
import Foundation
import OnePassCore

/// A table of headers or arguments in memory that the library can read.
final class AMQPTable {
  private var entries: UnsafeMutableBufferPointer<CBAMQPEntry>
  private var count = 0

  /// - Parameter capacity: The maximum number of entries.
  init(capacity: Int) { entries = .allocate(capacity: max(1, capacity)) }

  deinit {
    for entry in entries.prefix(count) {
      entry.name.start?.deallocate()
      if Self.isText(entry.value.kind) { entry.value.value.bytes.start?.deallocate() }
    }
    entries.deallocate()
  }

  var table: CBAMQPTable { CBAMQPTable(count: Int32(count), entries: entries.baseAddress) }

  /// Adds bytes: as text if they are UTF-8.
  func add(_ name: String, _ bytes: [UInt8]) {
    let isText = String(validating: bytes, as: UTF8.self) != nil
    var value = CBAMQPValue()
    value.kind = UInt8(ascii: isText ? "S" : "x")
    value.value.bytes = Self.copy(bytes)
    add(name, value)
  }

  func add(_ name: String, _ number: Int64) {
    var value = CBAMQPValue()
    value.kind = UInt8(ascii: "l")
    value.value.i64 = number
    add(name, value)
  }

  private func add(_ name: String, _ value: CBAMQPValue) {
    entries.initializeElement(at: count, to: CBAMQPEntry(name: Self.copy(Array(name.utf8)), value: value))
    count += 1
  }

  static func copy(_ bytes: [UInt8]) -> CBAMQPBytes {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
    memory.copyBytes(from: bytes)
    return CBAMQPBytes(count: bytes.count, start: memory.baseAddress)
  }

  fileprivate static func isText(_ kind: UInt8) -> Bool {
    kind == UInt8(ascii: "S") || kind == UInt8(ascii: "x")
  }
}

extension CBAMQPValue {
  /// The value as the bytes of a header: numbers and Booleans as their text. `nil` for tables and lists, which streams do not keep.
  var headerBytes: [UInt8]? {
    let text: String? =
      switch Character(UnicodeScalar(kind)) {
      case "t": value.boolean != 0 ? "true" : "false"
      case "b": "\(value.i8)"
      case "B": "\(value.u8)"
      case "s": "\(value.i16)"
      case "u": "\(value.u16)"
      case "I": "\(value.i32)"
      case "i": "\(value.u32)"
      case "l": "\(value.i64)"
      case "L", "T": "\(value.u64)"
      case "f": "\(value.f32)"
      case "d": "\(value.f64)"
      case "V": ""
      default: nil
      }
    return text.map { Array($0.utf8) } ?? (AMQPTable.isText(kind) ? Array(value.bytes.bytes) : nil)
  }

  /// A whole number.
  var number: UInt64? {
    switch Character(UnicodeScalar(kind)) {
    case "l": UInt64(exactly: value.i64)
    case "L", "T": value.u64
    case "I": UInt64(exactly: value.i32)
    case "i": UInt64(value.u32)
    default: nil
    }
  }
}
