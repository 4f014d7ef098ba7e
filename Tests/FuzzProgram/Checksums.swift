/// Repairs the checksums of mutated files.
enum Checksums {
  /// CRC-32 of PNG, gzip and zip.
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }

  private static let table: [UInt32] = (0..<256).map { value in
    (0..<8).reduce(UInt32(value)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ crc >> 1 : crc >> 1 }
  }

  /// Each chunk: length, type, data, checksum of the last two.
  static func repairPNG(_ bytes: inout [UInt8]) {
    var place = 8
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - place - 12 else { return }
      let end = place + 8 + length
      put(crc32(bytes[place + 4..<end]).byteSwapped, at: end, &bytes)
      place = end + 4
    }
  }

  /// Repairs each header of 512 bytes, which contains the size of the data after it.
  static func repairTar(_ bytes: inout [UInt8]) {
    var place = 0
    while place + 512 <= bytes.count {
      guard bytes[place..<place + 512].contains(where: { $0 != 0 }) else {
        place += 512
        continue
      }
      for index in place + 148..<place + 156 { bytes[index] = 32 }
      let sum = bytes[place..<place + 512].reduce(0) { $0 + Int($1) }
      let digits = Array(String(sum, radix: 8).utf8)
      bytes.replaceSubrange(
        place + 148..<place + 155,
        with: Array(repeating: 48, count: 6 - digits.count) + digits + [0])
      let size = bytes[place + 124..<place + 135].reduce(0) {
        (48...55).contains($1) ? $0 << 3 | Int($1 - 48) : $0
      }
      place += 512 + (size + 511) / 512 * 512
    }
  }

  /// Repairs entries without compression. The checksum is in the local header and in the central directory.
  static func repairZip(_ bytes: inout [UInt8]) {
    func number(_ place: Int, _ count: Int) -> Int {
      (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
    }
    var sums: [Int: UInt32] = [:]
    for place in bytes.indices.dropLast(46) where bytes[place] == 0x50 && bytes[place + 1] == 0x4B {
      if number(place, 4) == 0x0403_4B50, number(place + 8, 2) == 0 {
        let start = place + 30 + number(place + 26, 2) + number(place + 28, 2)
        let size = number(place + 18, 4)
        guard start <= bytes.count, size <= bytes.count - start else { continue }
        let sum = crc32(bytes[start..<start + size])
        sums[place] = sum
        put(sum, at: place + 14, &bytes)
      } else if number(place, 4) == 0x0201_4B50, let sum = sums[number(place + 42, 4)] {
        put(sum, at: place + 16, &bytes)
      }
    }
  }

  /// Little-endian.
  private static func put(_ value: UInt32, at place: Int, _ bytes: inout [UInt8]) {
    for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
  }
}
