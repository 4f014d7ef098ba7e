import OnePassCore

/// An image as a page shows it: decoded as for the model, scaled down if it is large, and encoded anew.
///
/// Encoded anew also where it is small: so every image of the memory, bare pixels and four-colour JPEGs too, is one that
/// browsers show, none brings an Exif orientation with it that the model does not see, nor what else its file may hold.
package struct Thumbnail: Sendable {
  /// `image/png` or `image/jpeg`.
  package let mediaType: String
  package let bytes: [UInt8]
  package let width: Int
  package let height: Int
  /// The image's own size, in pixels.
  package let original: (width: Int, height: Int)

  /// The longest side to which images are scaled down, in pixels.
  package static let longestSide = 256
  /// Up to this longest side an image is a PNG, without any loss; above it a JPEG.
  private static let longestLossless = 64

  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded.
  package init(of image: EncodedImage) throws {
    let header = try ImageHeader.read(image)
    let decoded = try ImageDecoder().decode(image, channels: header.channels)
    let longest = max(header.width, header.height)
    let scale = min(1, Double(Self.longestSide) / Double(longest))
    original = (header.width, header.height)
    width = max(1, Int((Double(header.width) * scale).rounded()))
    height = max(1, Int((Double(header.height) * scale).rounded()))
    let pixels = decoded.resized(width: width, height: height).pixels
    if longest <= Self.longestLossless {
      mediaType = "image/png"
      bytes = try encodePNG(pixels, width: width, height: height, channels: header.channels)
    } else {
      mediaType = "image/jpeg"
      bytes = try JPEGEncoder.encode(pixels, width: width, height: height, channels: header.channels).bytes
    }
  }
}

extension DecodedImage {
  /// The image at another size, as Pillow's `resize` with its antialiased bilinear filter makes it.
  func resized(width: Int, height: Int) -> DecodedImage {
    guard width != self.width || height != self.height else { return self }
    let (across, down) = (ResizeAxis(), ResizeAxis())
    across.prepare(input: self.width, output: width)
    down.prepare(input: self.height, output: height)
    let narrow = resample(
      pixels, rows: self.height, across, step: channels, line: self.width * channels, places: width,
      placeStep: channels, resultLine: width * channels)
    let pixels = resample(
      narrow, rows: width, down, step: width * channels, line: channels, places: height,
      placeStep: width * channels, resultLine: channels)
    return DecodedImage(width: width, height: height, channels: channels, pixels: pixels)
  }

  /// One pass along `axis`, over lines that begin `line` numbers apart and whose pixels are `step` numbers apart.
  private func resample(
    _ source: [UInt8], rows: Int, _ axis: ResizeAxis, step: Int, line: Int, places: Int, placeStep: Int,
    resultLine: Int
  ) -> [UInt8] {
    let (starts, weights, nudges) = (axis.starts, axis.weights, axis.nudges)
    return [UInt8](unsafeUninitializedCapacity: rows * places * channels) { result, count in
      source.withUnsafeBufferPointer { source in
        for row in 0..<rows {
          for place in 0..<places {
            let first = row * line + Int(starts[place]) * step
            for channel in 0..<channels {
              var sum = nudges[place]
              for tap in 0..<axis.taps {
                sum += weights[place * axis.taps + tap] * Float(source[first + tap * step + channel])
              }
              result[row * resultLine + place * placeStep + channel] = UInt8(
                max(0, min(255, sum.rounded())))
            }
          }
        }
      }
      count = rows * places * channels
    }
  }
}
