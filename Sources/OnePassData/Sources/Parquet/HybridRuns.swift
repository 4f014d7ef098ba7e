/// Bytes that violate the format.
struct ParquetDamage: Error {}

/// Small integers in encoding RLE, the "RLE/bit-packing hybrid": repeated values, and groups of eight packed in bits.
struct HybridRuns {
  private let bytes: [UInt8]
  private var place: Int
  private let end: Int
  /// Bits per number, at most 32.
  private let width: Int
  private var left = 0
  private var repeated: Int?
  /// The bit offset of the next number in a packed run.
  private var bit = 0

  /// - Parameters:
  ///   - range: The part of the bytes with the numbers.
  ///   - width: Bits per number, at most 32.
  init(bytes: [UInt8], in range: Range<Int>, width: Int) {
    self.bytes = bytes
    place = range.lowerBound
    end = range.upperBound
    self.width = width
  }

  mutating func next() throws(ParquetDamage) -> Int {
    while left == 0 { try beginRun() }
    left -= 1
    if let repeated { return repeated }
    defer { bit += width }
    return Int(packedBits(bytes, at: bit, width: width))
  }

  /// The next number, and how often it follows, at least once.
  mutating func nextRun() throws(ParquetDamage) -> (number: Int, count: Int) {
    while left == 0 { try beginRun() }
    guard let repeated else { return (try next(), 1) }
    defer { left = 0 }
    return (repeated, left)
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
      guard place < end, shift < 35 else { throw ParquetDamage() }
      head |= Int(bytes[place] & 0x7F) << shift
      shift += 7
      place += 1
    } while bytes[place - 1] >= 0x80
    if head & 1 == 1 {
      // The last group may end after its last number. The missing numbers are never requested.
      let size = (head >> 1) * width
      bit = place * 8
      left = min((head >> 1) * 8, (end - place) * 8 / width)
      guard left > 0 else { throw ParquetDamage() }
      place = min(end, place + size)
      repeated = nil
    } else {
      let size = (width + 7) / 8
      guard head >> 1 > 0, size <= end - place else { throw ParquetDamage() }
      repeated = littleEndian(bytes, at: place, count: size)
      left = head >> 1
      place += size
    }
  }
}

/// The number in `width` bits (at most 64) from a bit offset, the lowest bit first. The bits must exist.
func packedBits(_ bytes: [UInt8], at bit: Int, width: Int) -> UInt64 {
  var result: UInt64 = 0
  var got = 0
  var index = bit >> 3
  var shift = UInt64(bit & 7)
  while got < width {
    result |= (UInt64(bytes[index]) >> shift) << UInt64(got)
    got += 8 - Int(shift)
    shift = 0
    index += 1
  }
  return width == 64 ? result : result & (1 << UInt64(width) - 1)
}

/// The number in `count` bytes (at most 8), the lowest byte first. The bytes must exist.
func littleEndian(_ bytes: [UInt8], at place: Int, count: Int) -> Int {
  (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
}
