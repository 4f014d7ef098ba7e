/// The values of a data page that are not missing, in order.
protocol PageValues: AnyObject {
  func next() throws(ParquetDamage) -> ParquetColumn.Value
}

/// Values in encoding PLAIN: little-endian integers, Boolean values in bits, and bytes preceded by their length.
final class PlainValues: PageValues {
  private let bytes: [UInt8]
  private var place: Int
  private let type: ParquetType
  /// The bit of the next Boolean value in the byte at `place`.
  private var bit = 0

  init(bytes: [UInt8], from start: Int, type: ParquetType) {
    self.bytes = bytes
    place = start
    self.type = type
  }

  func next() throws(ParquetDamage) -> ParquetColumn.Value {
    switch type {
    case .boolean:
      guard place < bytes.count else { throw ParquetDamage() }
      let value = bytes[place] >> UInt8(bit) & 1
      bit += 1
      if bit == 8 { (place, bit) = (place + 1, 0) }
      return .integer(Int(value))
    case .integer(let width, let isSigned):
      return .integer(type.integer(UInt64(bitPattern: Int64(try number(width))), width, isSigned))
    case .bytes(nil):
      return .bytes(try part(try number(4)))
    case .bytes(let length?): return .bytes(try part(length))
    case .unusable: throw ParquetDamage()
    }
  }

  private func number(_ count: Int) throws(ParquetDamage) -> Int {
    guard count <= bytes.count - place else { throw ParquetDamage() }
    defer { place += count }
    return littleEndian(bytes, at: place, count: count)
  }

  private func part(_ count: Int) throws(ParquetDamage) -> [UInt8] {
    guard count <= bytes.count - place else { throw ParquetDamage() }
    defer { place += count }
    return Array(bytes[place..<(place + count)])
  }
}

/// Values as indices of a dictionary.
final class DictionaryValues: PageValues {
  private let dictionary: [ParquetColumn.Value]
  private var indices: HybridRuns

  /// - Parameter start: The place of the indices' width. A page without values may be empty.
  init(_ dictionary: [ParquetColumn.Value], bytes: [UInt8], from start: Int) throws(ParquetDamage) {
    let width = start < bytes.count ? Int(bytes[start]) : 0
    guard width <= 32 else { throw ParquetDamage() }
    self.dictionary = dictionary
    indices = HybridRuns(bytes: bytes, in: min(start + 1, bytes.count)..<bytes.count, width: width)
  }

  func next() throws(ParquetDamage) -> ParquetColumn.Value {
    let index = try indices.next()
    guard index < dictionary.count else { throw ParquetDamage() }
    return dictionary[index]
  }
}

/// Boolean values in encoding RLE, preceded by their length.
final class BooleanRuns: PageValues {
  private var runs: HybridRuns

  init(bytes: [UInt8], from start: Int) throws(ParquetDamage) {
    // A page without values may be empty.
    guard bytes.count > start else {
      runs = HybridRuns(bytes: [], in: 0..<0, width: 1)
      return
    }
    guard bytes.count - start >= 4 else { throw ParquetDamage() }
    let length = littleEndian(bytes, at: start, count: 4)
    guard length <= bytes.count - start - 4 else { throw ParquetDamage() }
    runs = HybridRuns(bytes: bytes, in: (start + 4)..<(start + 4 + length), width: 1)
  }

  func next() throws(ParquetDamage) -> ParquetColumn.Value { .integer(try runs.next()) }
}

/// Values in encoding BYTE_STREAM_SPLIT: first the first bytes of all values, then their second bytes, and so on.
final class SplitValues: PageValues {
  private let bytes: [UInt8]
  private let type: ParquetType
  private let start: Int
  private let width: Int
  private let count: Int
  private var index = 0

  init(bytes: [UInt8], from start: Int, type: ParquetType) throws(ParquetDamage) {
    switch type {
    case .integer(let width, _): self.width = width
    case .bytes(let length?) where length > 0: width = length
    default: throw ParquetDamage()
    }
    guard (bytes.count - start) % width == 0 else { throw ParquetDamage() }
    self.bytes = bytes
    self.type = type
    self.start = start
    count = (bytes.count - start) / width
  }

  func next() throws(ParquetDamage) -> ParquetColumn.Value {
    guard index < count else { throw ParquetDamage() }
    defer { index += 1 }
    let places = (0..<width).map { start + $0 * count + index }
    guard case .integer(_, let isSigned) = type else { return .bytes(places.map { bytes[$0] }) }
    let value = places.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
    return .integer(type.integer(value, width, isSigned))
  }
}
