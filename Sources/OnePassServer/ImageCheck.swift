import OnePassCore
import OnePassData
import Synchronization

/// Checks that images can be decoded, before they are accepted.
///
/// `@unchecked Sendable`: a decoder is used by the one caller that has taken it.
final class ImageCheck: @unchecked Sendable {
  static let types = [
    "image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp", "image/x-portable-anymap",
    "image/x-portable-pixmap", "image/x-portable-graymap",
  ]

  private let limits: ImageLimits
  private let decoders = Mutex<[Decoder]>([])

  private struct Decoder: @unchecked Sendable {
    let decoder: ImageDecoder
  }

  /// - Parameter pixels: The largest image.
  init(pixels: Int) { limits = ImageLimits(pixels: pixels) }

  /// - Throws: ``Problem`` if the image cannot be decoded, or is larger than the limit.
  func check(_ bytes: [UInt8]) throws {
    guard !bytes.isEmpty else { throw Problem.brokenImage("The body is empty.") }
    let decoder = decoders.withLock { $0.popLast() } ?? Decoder(decoder: ImageDecoder(limits: limits))
    defer { decoders.withLock { if $0.count < 8 { $0.append(decoder) } } }
    do { _ = try decoder.decoder.decode(EncodedImage(bytes: bytes), channels: 3) } catch let error
      as OnePassError
    {
      throw Problem.brokenImage(error.message)
    }
  }

  /// The media type of an image, by its first bytes.
  static func type(of bytes: [UInt8]) -> String {
    let starts: [(start: [UInt8], type: String)] = [
      ([0xFF, 0xD8], "image/jpeg"), ([0x89, 0x50, 0x4E, 0x47], "image/png"),
      (Array("RIFF".utf8), "image/webp"),
      ([0x49, 0x49], "image/tiff"), ([0x4D, 0x4D], "image/tiff"), (Array("BM".utf8), "image/bmp"),
    ]
    return starts.first { bytes.starts(with: $0.start) }?.type ?? "image/x-portable-anymap"
  }
}
