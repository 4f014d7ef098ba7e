import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Thumbnails") struct ThumbnailTests {
  /// The reference is the pipeline's resize to a square, which other tests compare with torchvision's.
  @Test("Thumbnails are resized like the pipeline's images", arguments: [1, 3])
  func theResizeIsThatOfThePipeline(channels: Int) throws {
    let image = ImageFixtures.pattern(width: 150, height: 90, channels: channels)
    let decoded = try ImageDecoder().decode(image, channels: channels).resized(width: 40, height: 40)
    let pipeline = ImagePipeline(size: 40, channels: channels, geometry: .resizeAndCrop(resize: 40))
    var expected = [UInt8](repeating: 0, count: pipeline.elementsPerImage)
    try expected.withUnsafeMutableBufferPointer {
      try ImageRenderer(pipeline: pipeline).render(image, .centre, into: $0)
    }
    #expect(decoded.pixels == expected)
  }

  @Test("Small images are unchanged")
  func whatIsSmallLosesNothing() throws {
    for channels in [1, 3] {
      let image = ImageFixtures.pattern(width: 28, height: 20, channels: channels)
      let thumbnail = try Thumbnail(of: image)
      #expect(thumbnail.mediaType == "image/png" && thumbnail.width == 28 && thumbnail.height == 20)
      let shown = try ImageDecoder().decode(EncodedImage(bytes: thumbnail.bytes), channels: channels)
      #expect(shown.pixels == image.bytes)
    }
  }

  @Test("Large images keep their aspect ratio")
  func whatIsLargeKeepsItsShape() throws {
    let thumbnail = try Thumbnail(of: ImageFixtures.pattern(width: 1_000, height: 250, channels: 3))
    #expect(thumbnail.mediaType == "image/jpeg" && thumbnail.width == 256 && thumbnail.height == 64)
    let header = try ImageHeader.read(EncodedImage(bytes: thumbnail.bytes))
    #expect(header.format == .jpeg && header.width == 256 && header.height == 64)
    #expect(thumbnail.original.width == 1_000 && thumbnail.original.height == 250)
    // A line remains a line.
    let line = try Thumbnail(of: ImageFixtures.pattern(width: 2_000, height: 1, channels: 1))
    #expect(line.width == 256 && line.height == 1)
  }

  /// These include CMYK JPEGs, and PNGs of 16 bits or with a palette.
  @Test("Every image that can be decoded has a thumbnail", arguments: DecodedFixtures.all.good)
  func everyFileThatCanBeReadCanBeShown(fixture: DecodedFixtures.Good) throws {
    let thumbnail = try Thumbnail(of: try ImageFixtures.file(fixture.file))
    let header = try ImageHeader.read(EncodedImage(bytes: thumbnail.bytes))
    #expect(header.width == thumbnail.width && header.components != 4)
    #expect(thumbnail.original.width == fixture.width && thumbnail.original.height == fixture.height)
  }

  @Test("A broken image is an error", arguments: DecodedFixtures.all.bad)
  func whatIsBrokenSaysSo(fixture: DecodedFixtures.Bad) throws {
    #expect(throws: OnePassError.self) { try Thumbnail(of: try ImageFixtures.file(fixture.file)) }
  }
}
