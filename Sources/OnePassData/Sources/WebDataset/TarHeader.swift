/// The fields of a tar header block of 512 bytes that matter here.
struct TarHeader {
  private let block: UnsafeRawBufferPointer

  init(_ block: UnsafeRawBufferPointer) { self.block = block }

  var type: UInt8 { block[156] }

  /// The size of what follows in bytes; `nil` if the field is no number.
  var size: Int? { Self.number(block[124..<136]) }

  /// Whether the sum of the bytes, those of the sum itself taken as spaces, is what the header says.
  ///
  /// Some old programs summed signed bytes.
  var hasValidChecksum: Bool {
    guard let stated = Self.number(block[148..<156]) else { return false }
    var sum = 0
    var high = 0
    for byte in block {
      sum += Int(byte)
      high += Int(byte >> 7)
    }
    for byte in block[148..<156] {
      sum += 32 - Int(byte)
      high -= Int(byte >> 7)
    }
    return stated == sum || stated == sum - 256 * high
  }

  /// The path: the name, behind the prefix where the format has one.
  func copyName(to path: inout [UInt8]) {
    path.removeAll(keepingCapacity: true)
    // "ustar" and a zero byte is POSIX; GNU has a space there and other things in the prefix's place.
    if block[345] != 0, block[257..<263].elementsEqual(Self.posixMagic) {
      path.append(contentsOf: block[345..<500].prefix { $0 != 0 })
      path.append(slash)
    }
    path.append(contentsOf: block[0..<100].prefix { $0 != 0 })
  }

  private static let posixMagic: [UInt8] = Array("ustar\0".utf8)

  /// A number in octal digits between spaces and zero bytes, or in base 256 if the first bit is set.
  private static func number(_ field: Slice<UnsafeRawBufferPointer>) -> Int? {
    var value = 0
    if let first = field.first, first & 0x80 != 0 {
      // Negative numbers begin with 0xFF and are no sizes.
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

  /// The fields of a pax header that matter: records `LENGTH KEY=VALUE\n`, the length counting the whole record.
  static func extendedFields(_ body: [UInt8]) throws(ReadFailure) -> (path: [UInt8]?, size: Int?) {
    var path: [UInt8]?
    var size: Int?
    var rest = body[...]
    while !rest.isEmpty {
      guard let space = rest.firstIndex(of: 32), space - rest.startIndex <= 8,
        let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
        length > space - rest.startIndex + 1,
        length <= rest.count, rest[rest.startIndex + length - 1] == 10,
        let equals = rest[space..<(rest.startIndex + length)].firstIndex(of: UInt8(ascii: "="))
      else { throw ReadFailure.corrupt("an extended header is damaged") }
      let key = rest[(space + 1)..<equals]
      let value = rest[(equals + 1)..<(rest.startIndex + length - 1)]
      if key.elementsEqual("path".utf8) {
        path = Array(value)
      } else if key.elementsEqual("size".utf8) {
        guard let number = Int(String(decoding: value, as: UTF8.self)), number >= 0 else {
          throw ReadFailure.corrupt("an extended header is damaged")
        }
        size = number
      } else if key.starts(with: "GNU.sparse.".utf8) {
        throw ReadFailure.corrupt("it holds a sparse file, which is not read")
      }
      rest = rest[(rest.startIndex + length)...]
    }
    return (path, size)
  }
}
