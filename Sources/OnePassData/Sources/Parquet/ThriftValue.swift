/// A value in Thrift's compact protocol, the format of Parquet's metadata.
///
/// Source: thrift-compact-protocol.md of Apache Thrift. Fields are identified by number, so fields that newer writers
/// add are ignored.
indirect enum ThriftValue {
  case integer(Int)
  case binary([UInt8])
  case list([ThriftValue])
  case structure([Int: ThriftValue])
  /// A type that is not used here.
  case other

  /// Bytes that are not a value; `isShort` if more bytes could make them one.
  struct Damage: Error { let isShort: Bool }

  subscript(field: Int) -> ThriftValue? {
    if case .structure(let fields) = self { fields[field] } else { nil }
  }

  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  var list: [ThriftValue]? { if case .list(let values) = self { values } else { nil } }
  var text: String? {
    if case .binary(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }

  /// The structure at the start of these bytes, and its length in bytes.
  static func structure(in bytes: ArraySlice<UInt8>) throws(Damage) -> (value: ThriftValue, count: Int) {
    var parser = Parser(bytes: bytes, place: bytes.startIndex)
    let value = try parser.structure(depth: 0)
    return (value, parser.place - bytes.startIndex)
  }

  private struct Parser {
    let bytes: ArraySlice<UInt8>
    var place: Int
    private static let deepest = 16

    mutating func byte() throws(Damage) -> UInt8 {
      guard place < bytes.endIndex else { throw Damage(isShort: true) }
      defer { place += 1 }
      return bytes[place]
    }

    mutating func variable() throws(Damage) -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: 0, to: 64, by: 7) {
        let next = try byte()
        value |= UInt64(next & 0x7F) << UInt64(shift)
        if next < 0x80 { return value }
      }
      throw Damage(isShort: false)
    }

    /// Zigzag: the sign is the lowest bit.
    mutating func integer() throws(Damage) -> Int {
      let value = try variable()
      return Int(truncatingIfNeeded: value >> 1) ^ -Int(truncatingIfNeeded: value & 1)
    }

    mutating func structure(depth: Int) throws(Damage) -> ThriftValue {
      guard depth < Self.deepest else { throw Damage(isShort: false) }
      var fields: [Int: ThriftValue] = [:]
      var field = 0
      while true {
        let head = try byte()
        if head == 0 { return .structure(fields) }
        field = head >> 4 == 0 ? try integer() : field &+ Int(head >> 4)
        fields[field] = try value(kind: head & 0x0F, depth: depth)
      }
    }

    mutating func value(kind: UInt8, depth: Int) throws(Damage) -> ThriftValue {
      switch kind {
      // The kind of a Boolean field is its value.
      case 1: return .integer(1)
      case 2: return .integer(0)
      case 3: return .integer(Int(Int8(bitPattern: try byte())))
      case 4, 5, 6: return .integer(try integer())
      case 7:
        for _ in 0..<8 { _ = try byte() }
        return .other
      case 8:
        let count = try variable()
        guard count <= UInt64(bytes.endIndex - place) else { throw Damage(isShort: count < 1 << 31) }
        defer { place += Int(count) }
        return .binary(Array(bytes[place..<(place + Int(count))]))
      case 9, 10: return try list(depth: depth)
      case 12: return try structure(depth: depth + 1)
      default: throw Damage(isShort: false)
      }
    }

    mutating func list(depth: Int) throws(Damage) -> ThriftValue {
      guard depth < Self.deepest else { throw Damage(isShort: false) }
      let head = try byte()
      let count = head >> 4 == 15 ? try variable() : UInt64(head >> 4)
      // Each element has at least one byte.
      guard count <= UInt64(bytes.endIndex - place) else { throw Damage(isShort: count < 1 << 31) }
      var values: [ThriftValue] = []
      for _ in 0..<count {
        // A Boolean in a list is a byte.
        values.append(
          head & 0x0F <= 2
            ? .integer(try byte() == 1 ? 1 : 0) : try value(kind: head & 0x0F, depth: depth + 1))
      }
      return .list(values)
    }
  }
}
