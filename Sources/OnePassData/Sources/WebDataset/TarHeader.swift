/// The used fields of a 512-byte tar header.
struct TarHeader {
  private let block: UnsafeRawBufferPointer

  init(_ block: UnsafeRawBufferPointer) { self.block = block }

  var type: UInt8 { block[156] }

  /// The size of the body in bytes; `nil` if the field is not a number.
  var size: Int? { Self.number(block[124..<136]) }

  /// Whether the checksum is right: the sum of the bytes, with the checksum field read as spaces.
  ///
  /// The sum of signed bytes is accepted too, because some old programs wrote it.
  var hasValidChecksum: Bool {
    guard let stated = Self.number(block[148..<156]) else { return false }
    // Eight bytes at a time: four sums of pairs, each of which is at most 64 * 2 * 255.
    var sums: UInt64 = 0
    var high = 0
    for offset in stride(from: 0, to: 512, by: 8) {
      let word = block.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      sums += (word & 0x00FF_00FF_00FF_00FF) + (word >> 8 & 0x00FF_00FF_00FF_00FF)
      high += (word & 0x8080_8080_8080_8080).nonzeroBitCount
    }
    var sum = (0..<4).reduce(0) { $0 + Int(sums >> (16 * $1) & 0xFFFF) }
    for byte in block[148..<156] {
      sum += 32 - Int(byte)
      high -= Int(byte >> 7)
    }
    return stated == sum || stated == sum - 256 * high
  }

  /// Copies the path: the name, preceded by the prefix if the format has one.
  func copyName(to path: inout [UInt8]) {
    path.removeAll(keepingCapacity: true)
    // POSIX has "ustar" and a zero byte. GNU has a space instead, and other fields in the place of the prefix.
    if block[345] != 0, block[257..<263].elementsEqual(Self.posixMagic) {
      path.append(contentsOf: block[345..<500].prefix { $0 != 0 })
      path.append(slash)
    }
    path.append(contentsOf: block[0..<100].prefix { $0 != 0 })
  }

  /// The target of a link.
  var linkName: [UInt8] { Array(block[157..<257].prefix { $0 != 0 }) }

  private static let posixMagic: [UInt8] = Array("ustar\0".utf8)

  /// A number in octal digits padded with spaces or zero bytes, or in base 256 if the first bit is set.
  private static func number(_ field: Slice<UnsafeRawBufferPointer>) -> Int? {
    var value = 0
    if let first = field.first, first & 0x80 != 0 {
      // Negative numbers start with 0xFF and are not sizes.
      guard first == 0x80, field.dropFirst().dropLast(7).allSatisfy({ $0 == 0 }) else { return nil }
      return field.suffix(7).reduce(0) { $0 << 8 | Int($1) }
    }
    var index = field.startIndex
    while index < field.endIndex, field[index] == 32 { index += 1 }
    while index < field.endIndex, (48...55).contains(field[index]) {
      value = value << 3 | Int(field[index] - 48)
      index += 1
    }
    while index < field.endIndex {
      guard field[index] == 0 || field[index] == 32 else { return nil }
      index += 1
    }
    return value
  }

  /// The used fields of a pax header. Its records are `LENGTH KEY=VALUE\n`, where the length is of the whole record.
  static func extendedFields(_ body: [UInt8]) throws(ReadFailure) -> (
    path: [UInt8]?, link: [UInt8]?, size: Int?
  ) {
    var path: [UInt8]?
    var link: [UInt8]?
    var size: Int?
    var rest = body[...]
    while !rest.isEmpty {
      guard let space = rest.firstIndex(of: 32), space - rest.startIndex <= 8,
        let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
        length > space - rest.startIndex + 1,
        length <= rest.count, rest[rest.startIndex + length - 1] == 10,
        let equals = rest[space..<(rest.startIndex + length)].firstIndex(of: UInt8(ascii: "="))
      else { throw ReadFailure.damagedExtendedHeader }
      let key = rest[(space + 1)..<equals]
      let value = rest[(equals + 1)..<(rest.startIndex + length - 1)]
      if key.elementsEqual("path".utf8) {
        path = Array(value)
      } else if key.elementsEqual("linkpath".utf8) {
        link = Array(value)
      } else if key.elementsEqual("size".utf8) {
        guard let number = Int(String(decoding: value, as: UTF8.self)), number >= 0 else {
          throw ReadFailure.damagedExtendedHeader
        }
        size = number
      } else if key.starts(with: "GNU.sparse.".utf8) {
        throw ReadFailure.sparseFile
      }
      rest = rest[(rest.startIndex + length)...]
    }
    return (path, link, size)
  }
}
