import OnePassCore

extension ImageHeader {
  /// Reads the first directory, and refuses kinds of pixels that are not decoded.
  ///
  /// Width and height are those of the upright image: Pillow turns every TIFF that it loads.
  static func tiff(_ bytes: UnsafeBufferPointer<UInt8>) throws -> ImageHeader {
    guard let directory = TIFFDirectory(bytes) else {
      throw OnePassError.corruptImage(.tiff, reason: "no directory")
    }
    func number(_ tag: TIFFDirectory.Tag) -> Int? { directory.numbers(of: tag, atMost: 1).first }
    guard let width = number(.width), let height = number(.height) else {
      throw OnePassError.corruptImage(.tiff, reason: "no size in its directory")
    }
    let compression = number(.compression) ?? 1
    let photometric = compression == oldJPEG ? yCbCr : number(.photometric) ?? 0
    let samples = number(.samplesPerPixel) ?? (compression == oldJPEG ? 3 : 1)
    let bits = directory.numbers(of: .bitsPerSample, atMost: 8)
    let depth = bits.first ?? (compression == oldJPEG ? 8 : 1)
    let formats = directory.numbers(of: .sampleFormat, atMost: 8)
    guard formats.allSatisfy({ $0 == 1 }) else {
      throw OnePassError.unsupportedImage(
        .tiff, formats.contains(3) ? "floating-point samples" : "samples that are not unsigned integers")
    }
    guard bits.allSatisfy({ $0 == depth }), isSupported(photometric, depth, samples, compression) else {
      if let name = unsupportedColours[photometric] { throw OnePassError.unsupportedImage(.tiff, name) }
      throw OnePassError.unsupportedSamples(.tiff, bits: depth, samples: samples)
    }
    var reader = OrientationReader()
    reader.takeDirectory(directory)
    let isGrey = photometric <= 1
    var header = ImageHeader(
      width: width, height: height, channels: isGrey ? 1 : 3, format: .tiff, components: isGrey ? 1 : 3,
      // Halved chroma takes 9 bits a pixel and more.
      mostPixelsPerByte: mostBytesPerByte[compression].map {
        max(1, $0 * 8 / max(1, photometric == yCbCr ? 8 : depth * samples))
      })
    header.turn(reader.orientation)
    return header
  }

  private static let (oldJPEG, yCbCr) = (6, 6)

  private static func isSupported(_ photometric: Int, _ bits: Int, _ samples: Int, _ compression: Int) -> Bool
  {
    let (isWhole, isPart) = (bits == 8 || bits == 16, bits == 1 || bits == 2 || bits == 4)
    guard (1...mostSamples).contains(samples) else { return false }
    switch photometric {
    case 0, 1: return isWhole || (isPart && samples == 1)
    case 2: return isWhole && samples >= 3
    case 3: return bits == 8 || (isPart && samples == 1)
    case 5: return isWhole && samples >= 4
    case yCbCr: return bits == 8 && samples >= 3
    default: return false
    }
  }

  /// Colours with transparency and a few masks; a satellite's bands are no photograph.
  private static let mostSamples = 16

  private static let unsupportedColours = [
    4: "colour space Transparency mask", 8: "colour space CIE L*a*b*",
    9: "colour space ICC L*a*b*", 10: "colour space ITU L*a*b*", 32803: "colour space CFA (raw)",
    32844: "colour space LogL", 32845: "colour space LogLuv", 34892: "colour space LinearRaw",
  ]

  /// The bytes of pixels that a byte of the file can hold at most, by compression; missing where there is no bound.
  ///
  /// LZW: a code of 9 bits or more stands for at most 4,096 bytes. JPEG: see above.
  private static let mostBytesPerByte = [
    1: 1, 5: 4_096, 7: 64 * 8 * 2 * 4, 8: 1_032, 32773: 64, 32946: 1_032,
  ]
}
