import OnePassCore

extension ImageDecoder {
  /// Decodes the whole image as it is stored, turns it upright, and calls `body` with the region of that.
  func decodeTurned(
    _ image: EncodedImage, _ header: ImageHeader, channels: Int, isPadded: Bool, region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    let (width, height) = header.stored
    let whole = PixelRegion(rows: 0..<height, columns: 0..<width)
    let target = turned.reserve(width * height * (channels == 3 && isPadded ? 4 : channels))
    var step = channels
    try forEachStoredStrip(of: image, header, channels: channels, isPadded: isPadded, region: whole) {
      strip in
      step = strip.step
      let turn = PixelTurn(header.turn, width: width, height: height)
      switch step {
      case 1: turn.write(strip, as: UInt8.self, into: target)
      case 4: turn.write(strip, as: UInt32.self, into: target)
      default: turn.write(strip, as: (UInt8, UInt8, UInt8).self, into: target)
      }
    }
    let stride = header.width * step
    try body(
      PixelStrip(
        base: target + region.rows.lowerBound * stride + region.columns.lowerBound * step, rows: region.rows,
        stride: stride, step: step))
  }
}

/// Where the pixels of a stored image are in the upright one.
struct PixelTurn {
  /// The place of the first stored pixel, and by how much it moves with each stored column and row.
  private let start: Int
  private let byColumn: Int
  private let byRow: Int
  private let width: Int

  /// - Parameters:
  ///   - orientation: how the image is stored.
  ///   - width: of the stored image.
  ///   - height: of the stored image.
  init(_ orientation: ImageOrientation, width: Int, height: Int) {
    self.width = width
    let (across, down) = (width - 1, height - 1)
    (start, byColumn, byRow) =
      switch orientation {
      case .up: (0, 1, width)
      case .upMirrored: (across, -1, width)
      case .down: (down * width + across, -1, -width)
      case .downMirrored: (down * width, 1, -width)
      case .leftMirrored: (0, height, 1)
      case .right: (down, height, -1)
      case .rightMirrored: (across * height + down, -height, -1)
      case .left: (across * height, -height, 1)
      }
  }

  /// Writes a strip of whole rows, whose pixels are of this type, to their places.
  func write<Pixel: BitwiseCopyable>(
    _ strip: PixelStrip, as: Pixel.Type, into target: UnsafeMutablePointer<UInt8>
  ) {
    let size = strip.step
    let target = UnsafeMutableRawPointer(target)
    let source = UnsafeRawPointer(strip.base)
    for column in 0..<width {
      // Along the rows of the upright image where it is turned by a quarter.
      for (index, row) in strip.rows.enumerated() {
        let place = start &+ column &* byColumn &+ row &* byRow
        let pixel = source.loadUnaligned(
          fromByteOffset: index &* strip.stride &+ column &* size, as: Pixel.self)
        target.storeBytes(of: pixel, toByteOffset: place &* size, as: Pixel.self)
      }
    }
  }
}
