import CImages
import OnePassCore

/// The 8-bit pixels of one image.
///
/// ```swift
/// let image = try ImageDecoder().decode(example.image, channels: 3)
/// let red = image.pixels[0]
/// ```
public struct DecodedImage: Equatable, Sendable {
  /// The width in pixels.
  public let width: Int
  /// The height in pixels.
  public let height: Int
  /// The number of channels, 1 or 3.
  public let channels: Int
  /// Levels 0 … 255, `[height, width, channels]`.
  public let pixels: [UInt8]
}

/// Decodes JPEG, PNG, WebP, TIFF, BMP, PNM and raw pixels to RGB or grey, with the pixels of Pillow's `convert("RGB")` and
/// `convert("L")`.
///
/// JPEG is decoded by libjpeg-turbo with the exact integer DCT and smooth chroma upsampling (Pillow's defaults), PNG by
/// libspng, WebP by libwebp, TIFF by libtiff. Transparency is ignored, as in torchvision's loader. The orientation of an image
/// is ignored too, except with ``OrientationPolicy/apply`` and in TIFF images. The first frame of an animated WebP and the first page of a TIFF are
/// decoded. A truncated JPEG is an error, as in Pillow; libjpeg's other warnings are accepted.
///
/// Two differences from Pillow, which clips every value above 255 to white: 16-bit grey PNG and TIFF images keep the high byte
/// (inverted if white is zero), and 16-bit PGM samples are scaled and rounded like those of PPM.
///
/// Use one decoder per thread. It reuses its memory and its libjpeg-turbo decoder, so it is not Sendable.
///
/// ```swift
/// let decoder = ImageDecoder()
/// let image = try decoder.decode(example.image, channels: 3)
/// ```
public final class ImageDecoder {
  let limits: ImageLimits
  let orientation: OrientationPolicy
  let memory: DecodeMemory
  /// The bytes for small images that the budget counts for this decoder.
  private var kept = 0
  let pixels = ScratchBuffer<UInt8>(zero: 0)
  /// Some converted rows.
  let rows = ScratchBuffer<UInt8>(zero: 0)
  /// An upright image.
  let turned = ScratchBuffer<UInt8>(zero: 0)
  /// The completed file of an ``AbbreviatedJPEG``, and the headers for that.
  private let file = ScratchBuffer<UInt8>(zero: 0)
  private var fileHeaders: [AbbreviatedJPEG: [UInt8]] = [:]
  /// Created for the first JPEG, so that a stream of PNGs needs none.
  private(set) var jpeg: OpaquePointer?

  /// Creates a decoder.
  /// - Parameters:
  ///   - limits: The largest image that is decoded.
  ///   - orientation: Whether images are turned upright according to their metadata.
  public convenience init(limits: ImageLimits = ImageLimits(), orientation: OrientationPolicy = .ignore) {
    self.init(limits: limits, orientation: orientation, memory: .shared)
  }

  init(limits: ImageLimits, orientation: OrientationPolicy, memory: DecodeMemory) {
    (self.limits, self.orientation, self.memory) = (limits, orientation, memory)
  }

  /// Reads the header of an image as this decoder produces it.
  func header(of image: EncodedImage) throws -> ImageHeader {
    try ImageHeader.read(image, limits: limits, orientation: orientation)
  }

  deinit {
    if kept > 0 { memory.releaseKept(kept) }
    if let jpeg { cimages_decoder_free(jpeg) }
  }

  /// Decodes an image into an array.
  /// - Parameters:
  ///   - image: An image file, or raw pixels.
  ///   - channels: 3 for RGB, 1 for grey (ITU-R 601 luma of coloured images).
  /// - Throws: `OnePassError` (`badData`) if the image is damaged, of another format or beyond the limits.
  public func decode(_ image: EncodedImage, channels: Int) throws -> DecodedImage {
    let header = try header(of: image)
    let pixels = try [UInt8](unsafeUninitializedCapacity: header.width * header.height * channels) {
      all, count in
      try forEachStrip(of: image, header, channels: channels, region: PixelRegion(header)) { strip in
        for row in strip.rows {
          let pixels = UnsafeBufferPointer(start: strip.row(row), count: header.width * channels)
          count = all[count...].initialize(fromContentsOf: pixels)
        }
      }
    }
    return DecodedImage(width: header.width, height: header.height, channels: channels, pixels: pixels)
  }

  /// Calls `body` with the pixels of a region, in strips of rows from top to bottom.
  ///
  /// Only the region of a JPEG is decoded. Damage after its last row is not detected, but truncation of the file is.
  /// When this throws, `body` may have been called.
  /// - Parameter isPadded: Whether a pixel of three channels may have a fourth byte, which is faster.
  func forEachStrip(
    of image: EncodedImage, _ header: ImageHeader, channels: Int, isPadded: Bool = false, region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    precondition(channels == 1 || channels == 3, "An image is decoded to 1 or 3 channels.")
    try withRoom(for: header, channels: channels) {
      try forEachUprightStrip(
        of: image, header, channels: channels, isPadded: isPadded, region: region, body)
    }
  }

  /// Calls `body` when the budget admits the image.
  ///
  /// Small images need no lock, since a decoder keeps the memory for them.
  private func withRoom(for header: ImageHeader, channels: Int, _ body: () throws -> Void) throws {
    let bytes = header.decodingBytes(channels: channels)
    if bytes <= kept { return try body() }
    if memory.keep(bytes - kept, total: bytes) {
      kept = bytes
      return try body()
    }
    let limit = memory.decodingShare
    guard bytes <= limit else {
      throw OnePassError.imageNeedsMuchMemory(
        width: header.width, height: header.height, bytes: bytes, limit: limit)
    }
    try memory.decoding(bytes) { block in
      if let block { pixels.adopt(block) }
      try body()
    } afterwards: {
      if turned.capacity > kept { turned.detach().base.deallocate() }
      return pixels.capacity > kept ? pixels.detach() : nil
    }
  }

  private func forEachUprightStrip(
    of image: EncodedImage, _ header: ImageHeader, channels: Int, isPadded: Bool, region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    if header.turn.isUpright {
      try forEachStoredStrip(
        of: image, header, channels: channels, isPadded: isPadded, region: region, body)
    } else {
      try decodeTurned(image, header, channels: channels, isPadded: isPadded, region: region, body)
    }
  }

  /// Calls `body` with the pixels of a region of the image as it is stored.
  func forEachStoredStrip(
    of image: EncodedImage, _ header: ImageHeader, channels: Int, isPadded: Bool, region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    let (width, height) = header.stored
    let count = width * height
    func strip(_ base: UnsafePointer<UInt8>, step: Int? = nil) -> PixelStrip {
      let step = step ?? channels
      let stride = width * step
      let first = region.rows.lowerBound * stride + region.columns.lowerBound * step
      return PixelStrip(base: base + first, rows: region.rows, stride: stride, step: step)
    }
    switch header.format {
    case .jpeg:
      try image.withUnsafeBufferPointer { bytes in
        let file = header.isAbbreviated ? try wholeFile(of: bytes) : bytes
        try decodeJPEG(file, header, channels: channels, isPadded: isPadded, region: region, body)
      }
    case .png:
      try image.withUnsafeBufferPointer { try decodePNG($0, header, channels: channels) }
      try body(strip(pixels.base))
    case .webp:
      let step = try image.withUnsafeBufferPointer {
        try decodeWebP($0, width: width, height: height, channels: channels, isPadded: isPadded)
      }
      try body(strip(pixels.base, step: step))
    case .tiff:
      let native = header.channels
      try image.withUnsafeBufferPointer {
        try decodeTIFF($0, width: width, height: height, native: native, wantsLuma: channels == 1)
      }
      guard native != channels else { return try body(strip(pixels.base)) }
      let first = UnsafePointer(pixels.base) + region.columns.lowerBound * native
      try convertRows(
        of: region, step: channels,
        { row, target in
          ColourKernels.convert(
            first + row * width * native, native, into: target, channels, count: region.columns.count)
        }, body)
    case .bmp:
      try image.withUnsafeBufferPointer {
        try decodeBMP($0, channels: channels, isPadded: isPadded, region: region, body)
      }
    case .pnm:
      try image.withUnsafeBufferPointer { try decodePNM($0, channels: channels, region: region, body) }
    default:
      try image.withUnsafeBufferPointer { source in
        guard let start = source.baseAddress else {
          throw OnePassError.emptyImage
        }
        guard header.channels != channels else { return try body(strip(start)) }
        let converted = pixels.reserve(count * channels)
        if channels == 3 {
          ColourKernels.replicate(start, into: converted, count: count)
        } else {
          ColourKernels.luma(ofRGB: start, into: converted, count: count)
        }
        try body(strip(converted))
      }
    }
  }

  private func wholeFile(of bytes: UnsafeBufferPointer<UInt8>) throws -> UnsafeBufferPointer<UInt8> {
    guard let image = AbbreviatedJPEG(bytes) else { return bytes }
    // A replay memory has one kind. The limit is for a malicious stream with all of them.
    if fileHeaders.count > 16 { fileHeaders = [:] }
    let header = try fileHeaders[image] ?? image.fileHeader()
    fileHeaders[image] = header
    return image.restore(bytes, header: header, into: file)
  }

  func jpegDecoder() throws -> OpaquePointer {
    if let jpeg { return jpeg }
    guard let made = cimages_decoder_make() else {
      throw OnePassError.cannotStart("libjpeg-turbo")
    }
    jpeg = made
    return made
  }
}
