import OnePassCore

/// The size and the channels of an image, read from its header without decoding.
///
/// ```swift
/// let header = try ImageHeader.read(example.image)
/// print(header.width, header.height, header.channels)
/// ```
public struct ImageHeader: Hashable, Sendable {
  /// The width in pixels of the decoded image: as stored, or upright with ``OrientationPolicy/apply``.
  public private(set) var width: Int
  /// The height in pixels of the decoded image: as stored, or upright with ``OrientationPolicy/apply``.
  public private(set) var height: Int
  /// The number of channels: 1 for grey (with or without alpha), 3 for colour.
  public let channels: Int
  /// The file format; `nil` for raw pixels.
  public let format: ImageFormat?
  /// The orientation from Exif or, without one there, from XMP; ``ImageOrientation/up`` for raw pixels.
  public internal(set) var orientation = ImageOrientation.up
  /// The colour components of a JPEG frame, 1, 3 or 4; equal to `channels` for other images.
  let components: Int
  /// The maximum number of pixels that a byte of this file can encode; `nil` if there is no bound.
  var mostPixelsPerByte: Int?
  /// Whether a JPEG has several scans, for which libjpeg keeps the coefficients of the whole image.
  var hasSeveralScans = false
  /// Whether the bytes are an ``AbbreviatedJPEG``.
  var isAbbreviated = false
  /// What the decoder undoes, so that the image is upright.
  private(set) var turn = ImageOrientation.up

  /// Reads and checks the header of an image.
  /// - Parameters:
  ///   - image: An image file, or raw pixels.
  ///   - limits: The largest accepted image.
  ///   - policy: Whether width and height are those of the upright image.
  /// - Throws: `OnePassError` (`badData`) if the image is of another format, its header is damaged, or its size is
  ///   beyond `limits`.
  public static func read(
    _ image: EncodedImage, limits: ImageLimits = ImageLimits(),
    orientation policy: OrientationPolicy = .ignore
  ) throws -> ImageHeader {
    var header = try image.withUnsafeBufferPointer { try read($0, image.encoding, limits) }
    try limits.check(width: header.width, height: header.height)
    try header.checkLength(image.byteCount)
    if policy == .apply, header.turn.isUpright, !header.orientation.isUpright {
      header.turn(header.orientation)
    }
    return header
  }

  /// Makes width and height those of the upright image, which the decoder then produces.
  mutating func turn(_ orientation: ImageOrientation) {
    precondition(turn.isUpright, "An image is turned once.")
    (self.orientation, turn) = (orientation, orientation)
    if orientation.swapsSides { swap(&width, &height) }
  }

  /// Whether the image is upright only with ``OrientationPolicy/apply``. TIFF images are always turned.
  var isRotated: Bool { !orientation.isUpright && format != .tiff }

  /// The size of the image as it is stored.
  var stored: (width: Int, height: Int) { turn.swapsSides ? (height, width) : (width, height) }

  /// Throws if a file is too short for its size in pixels, before memory is allocated.
  private func checkLength(_ count: Int) throws {
    guard let format else { return }
    let pixels = width * height
    if let mostPixelsPerByte, pixels / mostPixelsPerByte > count {
      throw OnePassError.truncatedImage(format, after: count, width: width, height: height)
    }
    guard pixels <= ImageLimits.pixelsOfAnyFile || pixels / ImageLimits.mostPixelsPerByte <= count else {
      throw OnePassError.imageCompressesTooMuch(width: width, height: height, bytes: count)
    }
  }

  private static func read(
    _ bytes: UnsafeBufferPointer<UInt8>, _ encoding: EncodedImage.Encoding, _ limits: ImageLimits
  ) throws -> ImageHeader {
    switch encoding {
    case .pixels(let width, let height, let channels):
      return try bare(bytes.count, width, height, channels, limits)
    case .file:
      guard !bytes.isEmpty else {
        throw OnePassError.emptyImage
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
      case .webp: return try webp(bytes)
      case .tiff: return try tiff(bytes)
      case .bmp: return try BMPFile(bytes).header
      case .pnm: return try PNMFile(bytes).header
      case .some(let other): throw OnePassError.unsupportedImageFormat(other)
      case nil: throw OnePassError.unknownImageFormat(startingWith: Array(bytes.prefix(4)))
      }
    }
  }

  private static func bare(
    _ bytes: Int, _ width: Int, _ height: Int, _ channels: Int, _ limits: ImageLimits
  ) throws -> ImageHeader {
    guard channels == 1 || channels == 3 else {
      throw OnePassError.rawPixelsOfImpossibleChannels(channels)
    }
    // Before the product below, which could overflow.
    try limits.check(width: width, height: height)
    guard bytes == width * height * channels else {
      throw OnePassError.rawPixelsOfImpossibleSize(bytes, width: width, height: height, channels: channels)
    }
    return ImageHeader(width: width, height: height, channels: channels, format: nil, components: channels)
  }

  /// Reads the markers up to the first frame header (ITU T.81, annex B).
  private static func jpeg(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    var orientation = OrientationReader()
    var at = 2
    while at + 3 < bytes.count {
      // Stray bytes before a marker are skipped, as in libjpeg. Any number of 0xFF may precede a marker.
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
        throw OnePassError.jpegWithoutFrame
      case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
        guard at + 8 <= bytes.count else { break }
        let components = Int(bytes[at + 7])
        var header = ImageHeader(
          width: Int(bytes[at + 5]) << 8 | Int(bytes[at + 6]),
          height: Int(bytes[at + 3]) << 8 | Int(bytes[at + 4]),
          channels: components == 1 ? 1 : 3, format: .jpeg, components: components,
          // Arithmetic coding (markers above 0xC8) has no bound.
          mostPixelsPerByte: marker < 0xC8 ? pixelsPerByteOfJPEG : nil)
        header.orientation = orientation.orientation
        // Progressive frames: markers C2, C6, CA and CE.
        header.hasSeveralScans =
          marker & 3 == 2 || (components > 1 && hasPartialScan(bytes, afterFrame: at, of: components))
        return header
      case 0xE1: orientation.takeSegment(bytes, at: at)
      default:
        break
      }
      guard at + 1 < bytes.count else { break }
      at += max(2, Int(bytes[at]) << 8 | Int(bytes[at + 1]))
    }
    throw OnePassError.truncatedJPEGHeader(after: bytes.count)
  }

  /// A block of 64 pixels takes at least one bit in each component, and chroma subsampling may double its area.
  private static let pixelsPerByteOfJPEG = 64 * 8 * 2

  /// Reads the IHDR chunk, which always comes first (PNG 1.2, section 11.2.2).
  private static func png(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    guard bytes.count >= 33, Array(bytes[12..<16]) == Array("IHDR".utf8) else {
      throw OnePassError.incompletePNGHeader
    }
    func integer(at offset: Int) -> Int { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    let isGrey = bytes[25] == 0 || bytes[25] == 4
    let samples = [2: 3, 4: 2, 6: 4][bytes[25]] ?? 1
    var header = ImageHeader(
      width: integer(at: 16), height: integer(at: 20), channels: isGrey ? 1 : 3, format: .png,
      components: isGrey ? 1 : 3,
      // A byte of deflate encodes at most 1,032 bytes.
      mostPixelsPerByte: 1_032 * 8 / (samples * max(1, Int(bytes[24]))))
    header.orientation = OrientationReader.ofPNG(bytes)
    return header
  }
}
