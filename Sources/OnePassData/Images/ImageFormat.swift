/// A file format of images, found from the first bytes and from nothing else.
///
/// Names mislead: ImageNet holds a PNG that is called `.JPEG`.
///
/// ```swift
/// ImageFormat(bytes: [0xFF, 0xD8, 0xFF, 0xE0])  // .jpeg
/// ```
public enum ImageFormat: String, Sendable, CaseIterable {
  case jpeg = "JPEG"
  case png = "PNG"
  case gif = "GIF"
  case webp = "WebP"
  case bmp = "BMP"
  case tiff = "TIFF"
  /// HEIC, AVIF and their kin: the ISO base media container.
  case heif = "HEIF"

  /// The format that these bytes begin with; `nil` if it is none of those listed.
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
    } else if begins([0x49, 0x49, 0x2A, 0x00]) || begins([0x4D, 0x4D, 0x00, 0x2A]) {
      self = .tiff
    } else if begins(Array("ftyp".utf8), at: 4) {
      self = .heif
    } else {
      return nil
    }
  }

  static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
}
