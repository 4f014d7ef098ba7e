/// The file format of an image, detected from its first bytes.
///
/// File names are ignored because they may be wrong: ImageNet has a PNG file with the extension `.JPEG`.
///
/// ```swift
/// ImageFormat(bytes: [0xFF, 0xD8, 0xFF, 0xE0])  // .jpeg
/// ```
public enum ImageFormat: String, Sendable, CaseIterable {
  /// JPEG, which is supported.
  case jpeg = "JPEG"
  /// PNG, which is supported.
  case png = "PNG"
  /// GIF, which is detected but not supported.
  case gif = "GIF"
  /// WebP, which is detected but not supported.
  case webp = "WebP"
  /// BMP, which is detected but not supported.
  case bmp = "BMP"
  /// TIFF, which is detected but not supported.
  case tiff = "TIFF"
  /// The portable bitmap, graymap and pixmap of Netpbm.
  case pnm = "PNM"
  /// HEIC, AVIF and other ISO base media files, which are detected but not supported.
  case heif = "HEIF"

  /// Detects the format of a file from its first bytes; `nil` if it is not one of these.
  public init?(bytes: [UInt8]) {
    guard let format = bytes.withUnsafeBufferPointer({ ImageFormat(bytes: $0) }) else { return nil }
    self = format
  }

  init?(bytes: UnsafeBufferPointer<UInt8>) {
    func begins(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + signature.count
        && signature.indices.allSatisfy { bytes[offset + $0] == signature[$0] }
    }
    if begins([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if begins(Self.pngSignature) {
      self = .png
    } else if begins(Array("GIF8".utf8)) {
      self = .gif
    } else if begins(Array("RIFF".utf8)), begins(Array("WEBP".utf8), at: 8) {
      self = .webp
    } else if begins(Array("BM".utf8)) {
      self = .bmp
    } else if Self.tiffSignatures.contains(where: { begins($0) }) {
      self = .tiff
    } else if bytes.count >= 3, bytes[0] == UInt8(ascii: "P"),
      (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(bytes[1]), PNMFile.isSpace(bytes[2])
    {
      self = .pnm
    } else if begins(Array("ftyp".utf8), at: 4) {
      self = .heif
    } else {
      return nil
    }
  }

  /// In both byte orders, with 32-bit offsets and (BigTIFF) with 64-bit ones.
  private static let tiffSignatures: [[UInt8]] = [
    [0x49, 0x49, 0x2A, 0x00], [0x4D, 0x4D, 0x00, 0x2A], [0x49, 0x49, 0x2B, 0x00], [0x4D, 0x4D, 0x00, 0x2B],
  ]
  static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
}
