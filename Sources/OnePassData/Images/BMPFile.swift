import OnePassCore

/// The headers of a Windows or OS/2 bitmap.
///
/// BMP and PNM are decoded without a library. Netpbm's library ends the process on a broken file, Leptonica changes colours
/// and sizes, and FreeImage is no longer maintained. None of them is tested against malicious files as libpng is. The kinds
/// of files are those that Pillow reads.
struct BMPFile {
  /// How pixels are packed.
  enum Packing: Equatable {
    /// Indices into the palette, of 1, 2, 4 or 8 bits.
    case indices(bits: Int)
    /// Runs of indices; of 4 bits if `isHalf`.
    case runs(isHalf: Bool)
    /// Blue, green, red, in 3 or 4 bytes.
    case bytes(Int)
    /// Colours in the bits of a little-endian number of 2, 3 or 4 bytes.
    case masks(bytes: Int, red: UInt32, green: UInt32, blue: UInt32)
  }

  let width: Int
  let height: Int
  /// Whether the first row in the file is the top one.
  let isTopDown: Bool
  let packing: Packing
  /// The offset of the pixels.
  let offset: Int
  /// Bytes of a whole row in the file.
  let stride: Int
  /// The colours of all 256 indices: red, green, blue and a zero. Empty where there is no palette.
  let palette: [UInt8]

  /// Reads and checks the headers.
  /// - Throws: `OnePassError` (`badData`).
  init(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    func number(_ place: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    guard bytes.count >= 26 else { throw OnePassError.truncatedImage(.bmp, after: bytes.count) }
    let size = number(14, 4)
    guard [12, 40, 52, 56, 64, 108, 124].contains(size) else {
      throw OnePassError.unsupportedImage(.bmp, "header of \(size) bytes")
    }
    guard bytes.count >= 14 + size else { throw OnePassError.truncatedImage(.bmp, after: bytes.count) }
    let isOld = size == 12
    let signed = isOld ? number(20, 2) : Int(Int32(truncatingIfNeeded: number(22, 4)))
    width = number(18, isOld ? 2 : 4)
    height = abs(signed)
    isTopDown = signed < 0
    let bits = isOld ? number(24, 2) : number(28, 2)
    let compression = isOld ? 0 : number(30, 4)
    // A header of 40 bytes has the masks behind it.
    let masksAt = 54
    var end = 14 + size
    if compression == 3, size == 40 { end += 12 }
    guard bytes.count >= end else { throw OnePassError.truncatedImage(.bmp, after: bytes.count) }
    let masks = compression == 3 && size >= 40 ? (0..<3).map { UInt32(number(masksAt + 4 * $0, 4)) } : []
    packing = try Self.packing(bits: bits, compression: compression, masks: masks)
    stride = (width * bits + 31) / 32 * 4
    var pixels = number(10, 4)
    guard bits <= 8 else {
      palette = []
      offset = pixels == 0 ? end : pixels
      return
    }
    let claimed = isOld ? 0 : number(46, 4)
    let colours = claimed == 0 ? 1 << bits : claimed
    guard colours <= 65_536 else {
      throw OnePassError.corruptImage(.bmp, reason: "palette of \(colours) colours")
    }
    let entry = isOld ? 3 : 4
    // Some writers leave the palette out of the offset.
    if pixels == 14 + size { pixels += colours * entry }
    palette = Self.palette(bytes, at: end, colours: colours, entry: entry)
    offset = pixels == 0 ? end + colours * entry : pixels
  }

  private static func packing(bits: Int, compression: Int, masks: [UInt32]) throws -> Packing {
    switch (compression, bits) {
    case (0, 1), (0, 2), (0, 4), (0, 8): return .indices(bits: bits)
    case (0, 16): return .masks(bytes: 2, red: 0x7C00, green: 0x3E0, blue: 0x1F)
    case (0, 24): return .bytes(3)
    case (0, 32): return .bytes(4)
    case (1, 8): return .runs(isHalf: false)
    case (2, 4): return .runs(isHalf: true)
    case (3, 16), (3, 24), (3, 32):
      // Without masks, as Pillow: blue, green, red.
      if bits == 32, masks.allSatisfy({ $0 == 0 }) { return .bytes(4) }
      guard masks.allSatisfy(isContiguous) else {
        throw OnePassError.corruptImage(.bmp, reason: "colour masks")
      }
      if masks == [0xFF0000, 0xFF00, 0xFF], bits > 16 { return .bytes(bits / 8) }
      return .masks(bytes: bits / 8, red: masks[0], green: masks[1], blue: masks[2])
    case (0...3, _): throw OnePassError.unsupportedImage(.bmp, "\(bits) bits per pixel")
    default: throw OnePassError.unsupportedImage(.bmp, "compression \(compression)")
    }
  }

  private static func isContiguous(_ mask: UInt32) -> Bool {
    guard mask != 0 else { return false }
    let ones = mask >> UInt32(mask.trailingZeroBitCount)
    return ones & (ones &+ 1) == 0
  }

  /// Indices without a colour are black, as in Pillow.
  private static func palette(
    _ bytes: UnsafeBufferPointer<UInt8>, at start: Int, colours: Int, entry: Int
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 4 * 256) { palette, count in
      for index in 0..<256 {
        let at = start + index * entry
        let isThere = index < colours && at + 3 <= bytes.count
        for channel in 0..<3 {
          palette[4 * index + channel] = isThere ? bytes[at + 2 - channel] : 0
        }
        palette[4 * index + 3] = 0
      }
      count = 4 * 256
    }
  }

  /// Whether all colours of the palette are levels of grey.
  private var isGrey: Bool {
    var colours = palette[...]
    while let red = colours.popFirst(), let green = colours.popFirst(), let blue = colours.popFirst() {
      guard red == green, green == blue else { return false }
      colours.removeFirst()
    }
    return !palette.isEmpty
  }

  /// The bits of a pixel, where every pixel has as many.
  private var bitsPerPixel: Int? {
    switch packing {
    case .indices(let bits): bits
    case .runs: nil
    case .bytes(let count), .masks(let count, _, _, _): 8 * count
    }
  }

  var header: ImageHeader {
    ImageHeader(
      width: width, height: height, channels: isGrey ? 1 : 3, format: .bmp, components: isGrey ? 1 : 3,
      mostPixelsPerByte: bitsPerPixel.map { max(1, 8 / $0) })
  }

  /// Where a row of the image is in the file.
  func place(ofRow row: Int) -> Int { offset + (isTopDown ? row : height - 1 - row) * stride }

  /// Throws if rows are missing. Padding after the last row may be missing.
  /// - Precondition: the size is within limits.
  func checkLength(_ count: Int) throws {
    guard let bitsPerPixel else { return }
    guard offset + (height - 1) * stride + (width * bitsPerPixel + 7) / 8 <= count else {
      throw OnePassError.truncatedImage(.bmp, after: count)
    }
  }
}
