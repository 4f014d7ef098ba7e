/// Bytes that violate the format.
struct ParquetDamage: Error {}

/// Values in encoding PLAIN: little-endian integers, and bytes preceded by their length.
struct PlainValues {
  let bytes: [UInt8]
  var place: Int
  /// `Type` of parquet.thrift.
  let type: Int

  mutating func next() throws(ParquetDamage) -> ParquetColumn.Value {
    switch type {
    case 1: return .integer(Int(Int32(truncatingIfNeeded: try number(4))))
    case 2: return .integer(try number(8))
    case 6:
      let length = try number(4)
      guard length <= bytes.count - place else { throw ParquetDamage() }
      defer { place += length }
      return .bytes(Array(bytes[place..<(place + length)]))
    default: throw ParquetDamage()
    }
  }

  private mutating func number(_ count: Int) throws(ParquetDamage) -> Int {
    guard count <= bytes.count - place else { throw ParquetDamage() }
    defer { place += count }
    return (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
  }
}

/// Small integers in encoding RLE, the "RLE/bit-packing hybrid": repeated values, and groups of eight packed in bits.
struct HybridRuns {
  let bytes: [UInt8]
  var place: Int
  /// Bits per number.
  let width: Int
  private var left = 0
  private var repeated: Int?
  /// The bit offset of the next number in a packed run.
  private var bit = 0

  init(bytes: [UInt8], place: Int, width: Int) {
    self.bytes = bytes
    self.place = place
    self.width = width
  }

  mutating func next() throws(ParquetDamage) -> Int {
    while left == 0 { try beginRun() }
    left -= 1
    if let repeated { return repeated }
    var value = 0
    for index in 0..<width where bytes[(bit + index) / 8] >> UInt8((bit + index) % 8) & 1 == 1 {
      value |= 1 << index
    }
    bit += width
    return value
  }

  private mutating func beginRun() throws(ParquetDamage) {
    // Numbers of 0 bits are all 0, and a writer may omit their runs.
    guard width > 0 else {
      (repeated, left) = (0, .max)
      return
    }
    var head = 0
    var shift = 0
    repeat {
      guard place < bytes.count, shift < 35 else { throw ParquetDamage() }
      head |= Int(bytes[place] & 0x7F) << shift
      shift += 7
      place += 1
    } while bytes[place - 1] >= 0x80
    if head & 1 == 1 {
      // The last group may end after its last number. The missing numbers are never requested.
      let size = (head >> 1) * width
      bit = place * 8
      left = min((head >> 1) * 8, (bytes.count - place) * 8 / width)
      guard left > 0 else { throw ParquetDamage() }
      place = min(bytes.count, place + size)
      repeated = nil
    } else {
      let size = (width + 7) / 8
      guard head >> 1 > 0, size <= bytes.count - place else { throw ParquetDamage() }
      repeated = (0..<size).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
      left = head >> 1
      place += size
    }
  }
}

/// Snappy decompression, without framing (google/snappy, format_description.txt).
enum Snappy {
  /// - Parameter limit: The maximum number of decompressed bytes.
  static func unpack(_ packed: [UInt8], limit: Int) throws(ParquetDamage) -> [UInt8] {
    var place = 0
    func number(_ count: Int) throws(ParquetDamage) -> Int {
      guard count <= packed.count - place else { throw ParquetDamage() }
      defer { place += count }
      return (0..<count).reversed().reduce(0) { $0 << 8 | Int(packed[place + $1]) }
    }
    var length = 0
    var shift = 0
    while true {
      let byte = try number(1)
      length |= (byte & 0x7F) << shift
      shift += 7
      if byte < 0x80 { break }
      guard shift < 35 else { throw ParquetDamage() }
    }
    guard length <= limit else { throw ParquetDamage() }
    var result: [UInt8] = []
    while place < packed.count {
      let tag = try number(1)
      switch tag & 3 {
      case 0:
        let short = tag >> 2
        let count = 1 + (short < 60 ? short : try number(short - 59))
        guard count <= packed.count - place, count <= length - result.count else { throw ParquetDamage() }
        result += packed[place..<(place + count)]
        place += count
      case let kind:
        let count = kind == 1 ? 4 + (tag >> 2 & 7) : 1 + tag >> 2
        let offset = kind == 1 ? (tag >> 5) << 8 | (try number(1)) : try number(kind == 2 ? 2 : 4)
        guard offset > 0, offset <= result.count, count <= length - result.count else {
          throw ParquetDamage()
        }
        // The source of a copy may overlap its target.
        let start = result.count - offset
        if count <= offset {
          result += result[start..<(start + count)]
        } else {
          for index in 0..<count { result.append(result[start + index]) }
        }
      }
    }
    guard result.count == length else { throw ParquetDamage() }
    return result
  }
}
