import OnePassCore
import Testing

@testable import OnePassData

/// Decodes random regions of an image, and compares their pixels with those of the whole image.
/// - Parameters:
///   - image: The file.
///   - name: The name in messages.
///   - channels: 1 or 3.
///   - whole: The pixels of the whole image, `[height, width, channels]`.
///   - seeds: One region each.
func expectRegions(
  of image: EncodedImage, _ name: String, channels: Int, equal whole: [UInt8], seeds: Range<Int>,
  by decoder: ImageDecoder
) throws {
  let header = try ImageHeader.read(image)
  for seed in seeds {
    var chance = SeededGenerator(seed: 7, .test, seed)
    func range(below count: Int) -> Range<Int> {
      let first = chance.next(below: count)
      return first..<first + 1 + chance.next(below: count - first)
    }
    let region = PixelRegion(rows: range(below: header.height), columns: range(below: header.width))
    var (next, differing) = (region.rows.lowerBound, 0)
    try decoder.forEachStrip(
      of: image, header, channels: channels, isPadded: seed % 2 == 0, region: region
    ) { strip in
      #expect(strip.rows.lowerBound == next)
      next = strip.rows.upperBound
      for row in strip.rows {
        for (index, column) in region.columns.enumerated() {
          for channel in 0..<channels
          where strip.row(row)[index * strip.step + channel]
            != whole[(row * header.width + column) * channels + channel]
          { differing += 1 }
        }
      }
    }
    #expect(next == region.rows.upperBound, "\(name), \(channels) channels, \(region)")
    #expect(differing == 0, "\(name), \(channels) channels, \(region)")
  }
}
