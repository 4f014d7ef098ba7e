import CImages
import Foundation
import OnePassCore

/// Encodes pixels as JPEGs for the replay memory, with libjpeg-turbo.
enum JPEGEncoder {
  static let quality = 90

  /// - Throws: `OnePassError` (`engine`) without memory.
  static func encode(_ pixels: [UInt8], width: Int, height: Int, channels: Int) throws -> EncodedImage {
    precondition(pixels.count == width * height * channels, "Pixels without gaps are encoded.")
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    let status = cimages_encode(
      pixels, UInt32(width), UInt32(height), Int32(channels), Int32(quality), 1, &bytes, &count)
    defer { free(bytes) }
    guard status == 0, let bytes else {
      throw OnePassError(.engine, "libjpeg-turbo could not encode an image: free some memory and try again.")
    }
    return EncodedImage(bytes: Array(UnsafeBufferPointer(start: bytes, count: count)))
  }
}
