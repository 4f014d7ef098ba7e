import OnePassCore

extension ImageHeader {
  /// Reads the first chunk, and the metadata behind the pixels where the first chunk announces it.
  static func webp(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    func number(at place: Int, size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    // A lossless file may be shorter than the header of the others.
    guard bytes.count >= 30 || bytes.count >= 25 && bytes[15] == UInt8(ascii: "L") else {
      throw OnePassError.truncatedImage(.webp, after: bytes.count)
    }
    var orientation = ImageOrientation.up
    let (width, height): (Int, Int)
    var mostPixelsPerByte: Int?
    switch String(decoding: bytes[12..<16], as: UTF8.self) {
    case "VP8 ":
      guard bytes[23] == 0x9D, bytes[24] == 0x01, bytes[25] == 0x2A else {
        throw OnePassError.corruptImage(.webp, reason: "no key frame")
      }
      (width, height) = (number(at: 26, size: 2) & 0x3FFF, number(at: 28, size: 2) & 0x3FFF)
      mostPixelsPerByte = pixelsPerByteOfVP8
    case "VP8L":
      guard bytes[20] == 0x2F else { throw OnePassError.corruptImage(.webp, reason: "no lossless header") }
      let bits = number(at: 21, size: 4)
      (width, height) = (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
    case "VP8X":
      (width, height) = (number(at: 24, size: 3) + 1, number(at: 27, size: 3) + 1)
      if bytes[20] & 0x0C != 0 { orientation = webpOrientation(bytes) }
    default: throw OnePassError.corruptImage(.webp, reason: "unknown first chunk")
    }
    var header = ImageHeader(
      width: width, height: height, channels: 3, format: .webp, components: 3,
      mostPixelsPerByte: mostPixelsPerByte)
    header.orientation = orientation
    return header
  }

  /// A macroblock of 256 pixels takes more than 3 bits for its prediction modes, whose probabilities are fixed in key frames
  /// (RFC 6386, section 11.2). Lossless files have no such bound.
  private static let pixelsPerByteOfVP8 = 256 * 8 / 3

  /// Walks the chunks; those of the pixels are passed over.
  private static func webpOrientation(_ bytes: UnsafeBufferPointer<UInt8>) -> ImageOrientation {
    var reader = OrientationReader()
    var at = 12
    while at + 8 <= bytes.count {
      let size = (0..<4).reduce(0) { $0 | Int(bytes[at + 4 + $1]) << (8 * $1) }
      let start = at + 8
      guard size <= bytes.count - start else { break }
      let data = UnsafeBufferPointer(rebasing: bytes[start..<start + size])
      switch (bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]) {
      case (0x45, 0x58, 0x49, 0x46): reader.takeExif(data)
      case (0x58, 0x4D, 0x50, 0x20): reader.takeXMP(data)
      default: break
      }
      at = start + size + size & 1
    }
    return reader.orientation
  }
}
