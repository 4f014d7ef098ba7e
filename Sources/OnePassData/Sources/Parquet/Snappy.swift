/// Snappy decompression, without framing (google/snappy, format_description.txt).
enum Snappy {
  /// A copy of 64 bytes takes 3.
  private static let largestRatio = 22

  /// - Parameter limit: The maximum number of decompressed bytes.
  static func unpack(_ packed: [UInt8], limit: Int) throws(ParquetDamage) -> [UInt8] {
    var place = 0
    var length = 0
    var shift = 0
    while true {
      guard place < packed.count, shift < 35 else { throw ParquetDamage() }
      let byte = packed[place]
      place += 1
      length |= Int(byte & 0x7F) << shift
      shift += 7
      if byte < 0x80 { break }
    }
    guard length <= limit, length <= packed.count * largestRatio else { throw ParquetDamage() }
    var isWhole = false
    let result = [UInt8](unsafeUninitializedCapacity: length) { target, count in
      isWhole = packed.withUnsafeBufferPointer { unpack($0, from: place, into: target, length) }
      count = isWhole ? length : 0
    }
    guard isWhole else { throw ParquetDamage() }
    return result
  }

  /// Returns whether exactly `length` bytes were written.
  private static func unpack(
    _ packed: UnsafeBufferPointer<UInt8>, from start: Int, into target: UnsafeMutableBufferPointer<UInt8>,
    _ length: Int
  ) -> Bool {
    guard let source = packed.baseAddress, let output = target.baseAddress else {
      return length == 0 && start == packed.count
    }
    var place = start
    var written = 0
    /// The next bytes, lowest first; `nil` beyond the end.
    func number(_ count: Int) -> Int? {
      guard count <= packed.count - place else { return nil }
      var value = 0
      for index in (0..<count).reversed() { value = value << 8 | Int(source[place + index]) }
      place += count
      return value
    }
    while place < packed.count {
      let tag = Int(source[place])
      place += 1
      if tag & 3 == 0 {
        let short = tag >> 2
        guard let count = short < 60 ? short + 1 : number(short - 59).map({ $0 + 1 }),
          count <= packed.count - place, count <= length - written
        else { return false }
        (output + written).update(from: source + place, count: count)
        place += count
        written += count
      } else {
        let count = tag & 3 == 1 ? 4 + (tag >> 2 & 7) : 1 + tag >> 2
        let distance =
          switch tag & 3 {
          case 1: number(1).map { (tag >> 5) << 8 | $0 }
          case 2: number(2)
          default: number(4)
          }
        guard let distance, distance > 0, distance <= written, count <= length - written else { return false }
        let from = output + (written - distance)
        // The source of a copy may overlap its target.
        if count <= distance {
          (output + written).update(from: from, count: count)
        } else {
          for index in 0..<count { output[written + index] = from[index] }
        }
        written += count
      }
    }
    return written == length
  }
}
