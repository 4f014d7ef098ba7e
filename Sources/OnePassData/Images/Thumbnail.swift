import OnePassCore

/// A small copy of an image for a web page, decoded as for the model and re-encoded.
///
/// Small images are re-encoded too. Browsers can then show every image, including raw pixels and CMYK JPEGs, without an
/// Exif orientation that the model ignores and without other metadata of the file.
///
/// ```
/// let thumbnail = try Thumbnail(of: example.image)
/// ```
package struct Thumbnail: Sendable {
  /// The media type, `image/png` or `image/jpeg`.
  package let mediaType: String
  /// The encoded thumbnail.
  package let bytes: [UInt8]
  /// The width of the thumbnail in pixels.
  package let width: Int
  /// The height of the thumbnail in pixels.
  package let height: Int
  /// The size of the image itself, in pixels.
  package let original: (width: Int, height: Int)

  /// The maximum side of a thumbnail in pixels. Larger images are scaled down.
  package static let longestSide = 256
  /// The maximum side of an image whose thumbnail is a lossless PNG. Thumbnails of larger images are JPEGs.
  private static let longestLossless = 64

  /// Makes a thumbnail.
  /// - Parameters:
  ///   - image: The image.
  ///   - orientation: The orientation policy of the model's pipeline.
  /// - Throws: `OnePassError` (`badData`) if the image cannot be decoded.
  package init(of image: EncodedImage, orientation: OrientationPolicy = .ignore) throws {
    let header = try ImageHeader.read(image, orientation: orientation)
    let decoded = try ImageDecoder(orientation: orientation).decode(image, channels: header.channels)
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
  /// Resizes the image as Pillow's `resize` with its antialiased bilinear filter does.
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

  /// One pass along `axis`, over lines that are `line` elements apart and whose pixels are `step` elements apart.
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
