/// The first directory of a TIFF file, or of the TIFF that an Exif block is, read from bytes that may hold anything.
struct TIFFDirectory {
  enum Tag: Int {
    case width = 256
    case height = 257
    case bitsPerSample = 258
    case compression = 259
    case photometric = 262
    case orientation = 274
    case samplesPerPixel = 277
    case xmp = 700
    case sampleFormat = 339
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let isBigEndian: Bool
  /// Whether it is a BigTIFF, with 64-bit offsets.
  private let isBig: Bool
  private let firstEntry: Int
  private let entryCount: Int

  private var entrySize: Int { isBig ? 20 : 12 }

  /// - Returns: `nil` if the bytes do not begin as a TIFF file with a directory.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count >= 8 else { return nil }
    switch (bytes[0], bytes[1]) {
    case (0x49, 0x49): isBigEndian = false
    case (0x4D, 0x4D): isBigEndian = true
    default: return nil
    }
    self.bytes = bytes
    let magic = Self.number(bytes, at: 2, size: 2, isBigEndian)
    guard magic == 42 || magic == 43 else { return nil }
    isBig = magic == 43
    guard !isBig || bytes.count >= 16 else { return nil }
    let start =
      isBig
      ? Self.number(bytes, at: 8, size: 8, isBigEndian) : Self.number(bytes, at: 4, size: 4, isBigEndian)
    let counted = isBig ? 8 : 2
    guard start >= 8, start <= bytes.count - counted else { return nil }
    firstEntry = start + counted
    // What does not fit into the file is not there.
    entryCount = min(
      Self.number(bytes, at: start, size: counted, isBigEndian),
      (bytes.count - firstEntry) / (isBig ? 20 : 12))
  }

  func has(_ tag: Tag) -> Bool { entry(tag) != nil }

  /// The whole numbers that a tag has; none if it is missing or of another type.
  func numbers(of tag: Tag, atMost limit: Int) -> [Int] {
    guard let entry = entry(tag), let size = Self.sizes[entry.type], let data = data(of: entry, size) else {
      return []
    }
    return (0..<min(limit, entry.count)).map {
      Self.number(bytes, at: data + $0 * size, size: size, isBigEndian)
    }
  }

  /// The bytes that a tag has, whatever its type.
  func bytes(of tag: Tag) -> UnsafeBufferPointer<UInt8>? {
    guard let entry = entry(tag), let data = data(of: entry, 1) else { return nil }
    return UnsafeBufferPointer(rebasing: bytes[data..<data + entry.count])
  }

  /// BYTE, SHORT, LONG and LONG8, and what some writers use instead: their signed kin.
  private static let sizes = [1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4, 16: 8, 17: 8]

  /// The first entry of a tag, with the place of its value or of the offset of that.
  private func entry(_ tag: Tag) -> (type: Int, count: Int, value: Int)? {
    for index in 0..<entryCount {
      let at = firstEntry + index * entrySize
      guard Self.number(bytes, at: at, size: 2, isBigEndian) == tag.rawValue else { continue }
      let type = Self.number(bytes, at: at + 2, size: 2, isBigEndian)
      let count = Self.number(bytes, at: at + 4, size: isBig ? 8 : 4, isBigEndian)
      return count > 0 ? (type, count, at + (isBig ? 12 : 8)) : nil
    }
    return nil
  }

  /// Where the data of an entry begins, if all of it is in the file.
  private func data(of entry: (type: Int, count: Int, value: Int), _ size: Int) -> Int? {
    let inline = isBig ? 8 : 4
    guard entry.count <= bytes.count / size else { return nil }
    if entry.count * size <= inline { return entry.value }
    let offset = Self.number(bytes, at: entry.value, size: inline, isBigEndian)
    return offset <= bytes.count - entry.count * size ? offset : nil
  }

  /// An unsigned number; what needs more than 63 bits becomes the largest number.
  private static func number(
    _ bytes: UnsafeBufferPointer<UInt8>, at place: Int, size: Int, _ isBigEndian: Bool
  ) -> Int {
    var value: UInt64 = 0
    for index in 0..<size {
      value = value << 8 | UInt64(bytes[place + (isBigEndian ? index : size - 1 - index)])
    }
    return Int(clamping: value)
  }
}
