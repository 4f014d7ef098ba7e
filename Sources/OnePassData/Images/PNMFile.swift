import OnePassCore

/// The header of a portable bit, grey or pixel map (Netpbm's PBM, PGM and PPM, as text or binary).
struct PNMFile {
  let width: Int
  let height: Int
  /// 1 for bit and grey maps, 3 for pixel maps.
  let channels: Int
  /// The largest sample; 1 for bit maps, in which it is black.
  let largest: Int
  let isText: Bool
  let isBitmap: Bool
  /// The offset of the pixels.
  let offset: Int

  /// - Throws: `OnePassError` (`badData`) if the header is broken.
  init(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    let kind = Int(bytes[1] - UInt8(ascii: "0"))
    isText = kind <= 3
    isBitmap = kind == 1 || kind == 4
    channels = kind == 3 || kind == 6 ? 3 : 1
    var text = PNMText(bytes, from: 2)
    guard let width = try text.number(), let height = try text.number() else {
      throw OnePassError.truncatedImage(.pnm, after: bytes.count)
    }
    (self.width, self.height) = (width, height)
    if isBitmap {
      largest = 1
    } else {
      guard let number = try text.number() else {
        throw OnePassError.truncatedImage(.pnm, after: bytes.count)
      }
      guard (1...65_535).contains(number) else {
        throw OnePassError.corruptImage(.pnm, reason: "maximum value \(number)")
      }
      largest = number
    }
    offset = text.at
  }

  /// Bytes of a sample in a binary file.
  var sampleSize: Int { largest > 255 ? 2 : 1 }

  /// Bytes of a row in a binary file.
  var stride: Int { isBitmap ? (width + 7) / 8 : width * channels * sampleSize }

  var header: ImageHeader {
    ImageHeader(
      width: width, height: height, channels: channels, format: .pnm, components: channels,
      mostPixelsPerByte: isBitmap && !isText ? 8 : 1)
  }

  /// Throws if a binary file lacks pixels.
  /// - Precondition: the size is within limits.
  func checkLength(_ count: Int) throws {
    guard isText || offset + height * stride <= count else {
      throw OnePassError.truncatedImage(.pnm, after: count)
    }
  }

  /// The level of each sample, of any larger one white: rounded to even where it is a half, as Pillow rounds.
  var levels: [UInt8] {
    if isBitmap { return [255, 0] }
    return (0...largest).map { UInt8((Double($0) / Double(largest) * 255).rounded(.toNearestOrEven)) }
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}

/// Numbers between white space, with comments from `#` to the end of a line.
struct PNMText {
  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var at: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, from place: Int) { (self.bytes, at) = (bytes, place) }

  /// The next number, with the one white space behind it; `nil` at the end of the bytes.
  mutating func number() throws -> Int? {
    guard let first = next() else { return nil }
    var value = try digit(first)
    var digits = 1
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "#") { break }
      at += 1
      if PNMFile.isSpace(byte) { break }
      value = value * 10 + (try digit(byte))
      digits += 1
      guard digits <= 10 else {
        throw OnePassError.corruptImage(.pnm, reason: "number of more than 10 digits")
      }
    }
    return value
  }

  /// The next digit of a bit map, between which white space may be missing.
  mutating func bit() throws -> Int? {
    guard let byte = next() else { return nil }
    let value = try digit(byte)
    guard value <= 1 else { throw OnePassError.corruptImage(.pnm, reason: "bit \(value)") }
    return value
  }

  /// The next byte that is neither white space nor within a comment.
  private mutating func next() -> UInt8? {
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == UInt8(ascii: "#") {
        while at < bytes.count, bytes[at] != 10, bytes[at] != 13 { at += 1 }
      } else if !PNMFile.isSpace(byte) {
        return byte
      }
    }
    return nil
  }

  private func digit(_ byte: UInt8) throws -> Int {
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else {
      throw OnePassError.corruptImage(.pnm, reason: "byte \(byte) in a number")
    }
    return Int(byte - UInt8(ascii: "0"))
  }
}
