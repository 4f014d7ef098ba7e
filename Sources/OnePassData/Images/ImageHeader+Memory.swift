extension ImageHeader {
  /// An upper estimate of the memory in bytes that decoding this image takes, without the encoded bytes.
  ///
  /// Arrays of the decoding libraries are included: the coefficients of a JPEG with several scans, the pixels of a lossless WebP,
  /// the strips of a TIFF.
  /// - Parameter channels: The number of channels to which it is decoded.
  func decodingBytes(channels: Int) -> Int {
    let (width, height) = stored
    let pixels = width * height
    let turned = turn.isUpright ? 0 : 4 * pixels
    let decoded =
      switch format {
      // Two bytes a coefficient, in blocks of 16 x 16 at most.
      case .jpeg where hasSeveralScans: 2 * components * (width + 16) * (height + 16) + 256 * width
      case .jpeg: 256 * width
      case .png: 3 * pixels + 32 * width
      case .webp: 8 * pixels
      case .tiff: (self.channels + 4) * pixels
      case .bmp: pixels + 64 * width
      case .pnm: self.channels * pixels + 64 * width
      default: self.channels == channels ? 0 : channels * pixels
      }
    return decoded + turned
  }

  /// Whether a scan of a JPEG has fewer components than the frame, so that libjpeg keeps the coefficients of the whole image.
  /// - Parameters:
  ///   - bytes: The file.
  ///   - frame: The offset of the frame header's length.
  static func hasPartialScan(_ bytes: UnsafeBufferPointer<UInt8>, afterFrame frame: Int, of components: Int)
    -> Bool
  {
    var at = frame + (Int(bytes[frame]) << 8 | Int(bytes[frame + 1]))
    while at + 4 < bytes.count {
      guard bytes[at] == 0xFF, bytes[at + 1] != 0xFF else {
        at += 1
        continue
      }
      if bytes[at + 1] == 0xDA { return Int(bytes[at + 4]) < components }
      at += 2 + max(2, Int(bytes[at + 2]) << 8 | Int(bytes[at + 3]))
    }
    return false
  }
}
