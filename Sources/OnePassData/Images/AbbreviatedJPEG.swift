import OnePassCore

/// A JPEG without its tables and headers, which depend only on side, quality and channels.
///
/// Five bytes replace about 600 bytes of standard tables and headers, more than half of a small image, and the end marker is
/// omitted. The pixels are those of the whole file. ITU T.81 (annex B.4) calls this the abbreviated format.
///
/// The five bytes are this project's own: 0xFF 0x02 (a marker that JPEG reserves), the side in two bytes, and the quality,
/// plus 128 for colour. The image is square, with libjpeg's tables for the quality and chroma at full resolution.
struct AbbreviatedJPEG: Hashable {
  let side: Int
  let quality: Int
  let channels: Int

  private static let signature: [UInt8] = [0xFF, 0x02]
  private static let headerLength = 5
  private static let colour: UInt8 = 0x80
  private static let endMarker: [UInt8] = [0xFF, 0xD9]

  init(side: Int, quality: Int, channels: Int) {
    precondition(
      (1...0xFFFF).contains(side) && (1...100).contains(quality),
      "A JPEG needs a side of 1 to 65535 and a quality of 1 to 100.")
    (self.side, self.quality, self.channels) = (side, quality, channels)
  }

  /// - Returns: `nil` if the bytes are not an abbreviated JPEG.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count > Self.headerLength, bytes.starts(with: Self.signature) else { return nil }
    side = Int(bytes[2]) << 8 | Int(bytes[3])
    quality = Int(bytes[4] & ~Self.colour)
    channels = bytes[4] & Self.colour == 0 ? 1 : 3
    guard side > 0, (1...100).contains(quality) else { return nil }
  }

  /// Encodes `side * side * channels` levels.
  /// - Throws: `OnePassError` (`engine`) if memory is exhausted.
  func encode(_ pixels: [UInt8]) throws -> EncodedImage {
    let file = try JPEGEncoder.encode(
      pixels, width: side, height: side, channels: channels, quality: quality
    ).bytes
    let shade = UInt8(quality) | (channels == 3 ? Self.colour : 0)
    let header = Self.signature + [UInt8(side >> 8), UInt8(side & 0xFF), shade]
    return EncodedImage(bytes: header + file[Self.dataStart(in: file)..<file.count - Self.endMarker.count])
  }

  /// The part of the file before its compressed data.
  /// - Throws: `OnePassError` (`engine`) if memory is exhausted.
  func fileHeader() throws -> [UInt8] {
    // The size is in one place of the header, so the header of a small image can be changed to any size.
    let small = 8
    var file = try JPEGEncoder.encode(
      Array(repeating: 0, count: small * small * channels), width: small, height: small, channels: channels,
      quality: quality
    ).bytes
    file.removeSubrange(Self.dataStart(in: file)...)
    let frame = Self.segment(0xC0, in: file)
    for at in [frame + 3, frame + 5] { (file[at], file[at + 1]) = (UInt8(side >> 8), UInt8(side & 0xFF)) }
    return file
  }

  /// Writes the complete JPEG file.
  /// - Parameters:
  ///   - bytes: The bytes of this image.
  ///   - header: The result of ``fileHeader()``.
  func restore(
    _ bytes: UnsafeBufferPointer<UInt8>, header: [UInt8], into file: ScratchBuffer<UInt8>
  ) -> UnsafeBufferPointer<UInt8> {
    let data = bytes[Self.headerLength...]
    let start = file.reserve(header.count + data.count + Self.endMarker.count)
    start.update(from: header, count: header.count)
    if let from = UnsafeBufferPointer(rebasing: data).baseAddress {
      (start + header.count).update(from: from, count: data.count)
    }
    (start + header.count + data.count).update(from: Self.endMarker, count: Self.endMarker.count)
    return UnsafeBufferPointer(start: start, count: header.count + data.count + Self.endMarker.count)
  }

  /// The offset of the compressed data in a file written by libjpeg: after the scan header.
  private static func dataStart(in file: [UInt8]) -> Int {
    let scan = segment(0xDA, in: file)
    return scan + (Int(file[scan]) << 8 | Int(file[scan + 1]))
  }

  /// The offset of the first byte after a marker.
  private static func segment(_ marker: UInt8, in file: [UInt8]) -> Int {
    var at = 2
    while at + 3 < file.count {
      if file[at + 1] == marker { return at + 2 }
      at += 2 + (Int(file[at + 2]) << 8 | Int(file[at + 3]))
    }
    preconditionFailure("A JPEG written by libjpeg has every marker.")
  }
}
