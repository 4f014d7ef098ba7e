import OnePassCore

/// The size and the colours that an image claims, read from its header without decoding.
///
/// ```swift
/// let header = try ImageHeader.read(example.image)
/// print(header.width, header.height, header.channels)
/// ```
public struct ImageHeader: Hashable, Sendable {
  /// Pixels, as stored: an Exif orientation is not applied.
  public let width: Int
  public let height: Int
  /// 1 for grey (with or without alpha), 3 for every kind of colour.
  public let channels: Int
  /// The file format; `nil` for bare pixels.
  public let format: ImageFormat?
  /// The colour components of a JPEG frame: 1, 3 or 4. For other images the same as `channels`.
  let components: Int
  /// No file of this kind packs more pixels into a byte; `nil` where there is no such bound.
  var mostPixelsPerByte: Int?
  /// Whether the bytes are an ``AbbreviatedJPEG``.
  var isAbbreviated = false

  /// The header of an image, within `limits`.
  /// - Throws: `OnePassError` (`badData`) if the bytes are no JPEG, PNG or bare pixels, if the header is broken,
  ///   or if the claimed size is beyond `limits`.
  public static func read(_ image: EncodedImage, limits: ImageLimits = ImageLimits()) throws -> ImageHeader {
    let header = try image.withUnsafeBufferPointer { try read($0, image.encoding, limits) }
    try limits.check(width: header.width, height: header.height)
    try header.checkLength(image.byteCount)
    return header
  }

  /// Refuses a file that is too short for its claim, before any memory or time is spent on it.
  private func checkLength(_ count: Int) throws {
    guard let mostPixelsPerByte, let format, width * height / mostPixelsPerByte > count else { return }
    throw OnePassError(
      .badData,
      "The \(format.rawValue) ends early, after \(count) bytes of what should be \(width) x \(height) pixels: "
        + "replace it or remove it from the data.")
  }

  private static func read(
    _ bytes: UnsafeBufferPointer<UInt8>, _ encoding: EncodedImage.Encoding, _ limits: ImageLimits
  ) throws -> ImageHeader {
    switch encoding {
    case .pixels(let width, let height, let channels):
      return try bare(bytes.count, width, height, channels, limits)
    case .file:
      guard !bytes.isEmpty else {
        throw OnePassError(.badData, "The image is empty (0 bytes): replace it or remove it from the data.")
      }
      if let jpeg = AbbreviatedJPEG(bytes) {
        return ImageHeader(
          width: jpeg.side, height: jpeg.side, channels: jpeg.channels, format: .jpeg,
          components: jpeg.channels,
          mostPixelsPerByte: pixelsPerByteOfJPEG, isAbbreviated: true)
      }
      switch ImageFormat(bytes: bytes) {
      case .jpeg: return try jpeg(bytes)
      case .png: return try png(bytes)
      case .some(let other):
        throw OnePassError(
          .badData,
          "The image is a \(other.rawValue) file, which OnePass does not read: convert it to JPEG or PNG.")
      case nil:
        let start = bytes.prefix(4).map(hexadecimal).joined(separator: " ")
        throw OnePassError(
          .badData,
          "The bytes are no image that OnePass knows (they begin with \(start)): give JPEG or PNG files.")
      }
    }
  }

  private static func bare(
    _ bytes: Int, _ width: Int, _ height: Int, _ channels: Int, _ limits: ImageLimits
  ) throws -> ImageHeader {
    guard channels == 1 || channels == 3 else {
      throw OnePassError(
        .badData, "The bare pixels have \(channels) channels: give 1 (grey) or 3 (red, green, blue).")
    }
    // Before the product below, which a claimed size could overflow.
    try limits.check(width: width, height: height)
    guard bytes == width * height * channels else {
      throw OnePassError(
        .badData,
        "The image has \(bytes) bytes where \(width) x \(height) x \(channels) pixels need "
          + "\(width * height * channels): the data is cut short or its header is wrong.")
    }
    return ImageHeader(width: width, height: height, channels: channels, format: nil, components: channels)
  }

  /// Walks the markers up to the first frame header (ITU T.81, annex B).
  private static func jpeg(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    var at = 2
    while at + 3 < bytes.count {
      // libjpeg, too, skips stray bytes before a marker; a marker may be preceded by any number of 0xFF.
      guard bytes[at] == 0xFF, bytes[at + 1] != 0xFF, bytes[at + 1] != 0 else {
        at += 1
        continue
      }
      let marker = bytes[at + 1]
      at += 2
      switch marker {
      case 0x01, 0xD0...0xD8:
        continue  // No segment follows.
      case 0xD9, 0xDA:
        throw OnePassError(.badData, "The JPEG has no frame header: replace it or remove it from the data.")
      case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
        guard at + 8 <= bytes.count else { break }
        let components = Int(bytes[at + 7])
        return ImageHeader(
          width: Int(bytes[at + 5]) << 8 | Int(bytes[at + 6]),
          height: Int(bytes[at + 3]) << 8 | Int(bytes[at + 4]),
          channels: components == 1 ? 1 : 3, format: .jpeg, components: components,
          // Arithmetic coding, from marker 0xC8 on, has no bound.
          mostPixelsPerByte: marker < 0xC8 ? pixelsPerByteOfJPEG : nil)
      default:
        break
      }
      guard at + 1 < bytes.count else { break }
      at += max(2, Int(bytes[at]) << 8 | Int(bytes[at + 1]))
    }
    throw OnePassError(
      .badData,
      "The JPEG ends within its header after \(bytes.count) bytes: replace it or remove it from the data.")
  }

  /// A block of 64 pixels takes a bit or more in one of the components, of which the largest may be halved.
  private static let pixelsPerByteOfJPEG = 64 * 8 * 2

  /// Reads the IHDR chunk, which always comes first (PNG 1.2, section 11.2.2).
  private static func png(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    guard bytes.count >= 33, Array(bytes[12..<16]) == Array("IHDR".utf8) else {
      throw OnePassError(.badData, "The PNG has no whole header: replace it or remove it from the data.")
    }
    func integer(at offset: Int) -> Int { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    let isGrey = bytes[25] == 0 || bytes[25] == 4
    let samples = [2: 3, 4: 2, 6: 4][bytes[25]] ?? 1
    return ImageHeader(
      width: integer(at: 16), height: integer(at: 20), channels: isGrey ? 1 : 3, format: .png,
      components: isGrey ? 1 : 3,
      // A byte of deflate is at most 1,032 bytes.
      mostPixelsPerByte: 1_032 * 8 / (samples * max(1, Int(bytes[24]))))
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0" + digits : digits
  }
}
