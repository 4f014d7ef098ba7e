/// Integers in encoding DELTA_BINARY_PACKED: blocks of differences, in bits.
struct DeltaIntegers {
  private let bytes: [UInt8]
  /// The place after the blocks that have been begun.
  private(set) var place: Int
  private let blockParts: Int
  private let partCount: Int
  /// The number of values that have not been delivered.
  private(set) var left: Int
  private var isFirst = true
  private var value: Int64
  private var smallest: Int64 = 0
  /// The place of the widths of the current block, and the index of the next one.
  private var widths = 0
  private var part: Int
  private var width = 0
  private var bit = 0
  private var leftInPart = 0

  private static let largestBlock = 1 << 20

  init(bytes: [UInt8], from start: Int) throws(ParquetDamage) {
    self.bytes = bytes
    place = start
    // A page without values may be empty.
    guard start < bytes.count else {
      (blockParts, partCount, left, value, part) = (1, 32, 0, 0, 1)
      return
    }
    let blockSize = try Self.variable(bytes, &place)
    let parts = try Self.variable(bytes, &place)
    let total = try Self.variable(bytes, &place)
    guard (1...UInt64(Self.largestBlock)).contains(blockSize), (1...blockSize).contains(parts),
      blockSize % parts == 0, (blockSize / parts) % 32 == 0, total <= UInt64(ParquetColumn.mostRows)
    else { throw ParquetDamage() }
    (blockParts, partCount, left) = (Int(parts), Int(blockSize / parts), Int(total))
    part = blockParts
    value = try Self.zigzag(bytes, &place)
  }

  mutating func next() throws(ParquetDamage) -> Int64 {
    guard left > 0 else { throw ParquetDamage() }
    left -= 1
    if isFirst {
      isFirst = false
      return value
    }
    if leftInPart == 0 { try beginPart() }
    guard bit + width <= bytes.count * 8 else { throw ParquetDamage() }
    value = value &+ smallest &+ Int64(bitPattern: packedBits(bytes, at: bit, width: width))
    bit += width
    leftInPart -= 1
    return value
  }

  /// The place after all blocks.
  func end() throws(ParquetDamage) -> Int {
    var copy = self
    // The first value is in the header.
    var rest = copy.left - 1
    while rest > 0 {
      try copy.beginPart()
      rest -= copy.partCount
    }
    guard copy.place <= bytes.count else { throw ParquetDamage() }
    return copy.place
  }

  private mutating func beginPart() throws(ParquetDamage) {
    if part == blockParts {
      smallest = try Self.zigzag(bytes, &place)
      guard blockParts <= bytes.count - place else { throw ParquetDamage() }
      (widths, part) = (place, 0)
      place += blockParts
    }
    width = Int(bytes[widths + part])
    // The last part may end after its last number. The missing numbers are never requested.
    guard width <= 64, place <= bytes.count else { throw ParquetDamage() }
    part += 1
    bit = place * 8
    leftInPart = partCount
    place += partCount / 8 * width
  }

  private static func variable(_ bytes: [UInt8], _ place: inout Int) throws(ParquetDamage) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard place < bytes.count else { throw ParquetDamage() }
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw ParquetDamage()
  }

  /// A signed number, whose sign is the lowest bit.
  private static func zigzag(_ bytes: [UInt8], _ place: inout Int) throws(ParquetDamage) -> Int64 {
    let value = try variable(bytes, &place)
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }
}

/// Integer columns in encoding DELTA_BINARY_PACKED.
final class DeltaValues: PageValues {
  private var integers: DeltaIntegers
  private let type: ParquetType

  init(bytes: [UInt8], from start: Int, type: ParquetType) throws(ParquetDamage) {
    integers = try DeltaIntegers(bytes: bytes, from: start)
    self.type = type
  }

  func next() throws(ParquetDamage) -> ParquetColumn.Value {
    guard case .integer(let width, let isSigned) = type else { throw ParquetDamage() }
    return .integer(type.integer(UInt64(bitPattern: try integers.next()), width, isSigned))
  }
}

/// Bytes in encoding DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
final class DeltaLengthBytes: PageValues {
  private let bytes: [UInt8]
  private var lengths: DeltaIntegers
  private var place: Int

  init(bytes: [UInt8], from start: Int) throws(ParquetDamage) {
    self.bytes = bytes
    lengths = try DeltaIntegers(bytes: bytes, from: start)
    place = try lengths.end()
  }

  func next() throws(ParquetDamage) -> ParquetColumn.Value { .bytes(Array(try part())) }

  func part() throws(ParquetDamage) -> ArraySlice<UInt8> {
    let length = try lengths.next()
    guard length >= 0, length <= Int64(bytes.count - place) else { throw ParquetDamage() }
    defer { place += Int(length) }
    return bytes[place..<(place + Int(length))]
  }
}

/// Bytes in encoding DELTA_BYTE_ARRAY: the number of bytes in common with the value before, and the rest.
final class DeltaBytes: PageValues {
  private var prefixes: DeltaIntegers
  private let suffixes: DeltaLengthBytes
  private let length: Int?
  private var last: [UInt8] = []

  /// - Parameter length: The length of every value, if it is fixed.
  init(bytes: [UInt8], from start: Int, length: Int?) throws(ParquetDamage) {
    prefixes = try DeltaIntegers(bytes: bytes, from: start)
    suffixes = try DeltaLengthBytes(bytes: bytes, from: prefixes.end())
    self.length = length
  }

  func next() throws(ParquetDamage) -> ParquetColumn.Value {
    let common = try prefixes.next()
    guard common >= 0, common <= Int64(last.count) else { throw ParquetDamage() }
    let suffix = try suffixes.part()
    last = Array(last.prefix(Int(common))) + suffix
    guard length == nil || length == last.count else { throw ParquetDamage() }
    return .bytes(last)
  }
}
