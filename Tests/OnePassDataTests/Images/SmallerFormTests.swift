import OnePassCore
import Testing

@testable import OnePassData

@Suite("Images that the memory stores at a smaller size or a lower quality")
struct SmallerFormTests {
  static let pipelines = [
    ImagePipeline(size: 24, channels: 3, geometry: .padAndCrop(padding: 4)),
    ImagePipeline(size: 24, channels: 1, geometry: .padAndCrop(padding: 4)),
    ImagePipeline(size: 40, channels: 3, geometry: .resizeAndCrop(resize: 45)),
  ]
  static let views = [ImagePipeline.View.centre] + (0..<20).map { .augmented(seed: 1, id: $0, visit: 1) }

  func levels(_ image: EncodedImage, _ pipeline: ImagePipeline, _ view: ImagePipeline.View) throws -> [UInt8]
  {
    var levels = [UInt8](repeating: 0, count: pipeline.elementsPerImage)
    try levels.withUnsafeMutableBufferPointer {
      try ImageRenderer(pipeline: pipeline).render(image, view, into: $0)
    }
    return levels
  }

  /// The complete file of an abbreviated one.
  func wholeFile(of image: EncodedImage) throws -> [UInt8] {
    try image.withUnsafeBufferPointer { bytes in
      let jpeg = try #require(AbbreviatedJPEG(bytes))
      let file = ScratchBuffer<UInt8>(zero: 0)
      return try withExtendedLifetime(file) {
        Array(jpeg.restore(bytes, header: try jpeg.fileHeader(), into: file))
      }
    }
  }

  @Test(
    "An abbreviated JPEG is the file that libjpeg writes, and 600 bytes shorter",
    arguments: [8, 16, 31, 300], [1, 10, 50, 75, 100])
  func abbreviation(side: Int, quality: Int) throws {
    for channels in [1, 3] {
      let pattern = ImageFixtures.pattern(width: side, height: side, channels: channels)
      let file = try JPEGEncoder.encode(
        pattern.bytes, width: side, height: side, channels: channels, quality: quality)
      let short = try AbbreviatedJPEG(side: side, quality: quality, channels: channels).encode(pattern.bytes)
      #expect(try wholeFile(of: short) == file.bytes)
      #expect(short.byteCount == file.byteCount - (channels == 3 ? 620 : 325), "\(channels)")
      let header = try ImageHeader.read(short)
      #expect(header.width == side && header.height == side && header.channels == channels)
      #expect(header.format == .jpeg)
      for wanted in [1, 3] {
        #expect(
          try ImageDecoder().decode(short, channels: wanted) == ImageDecoder().decode(file, channels: wanted))
      }
    }
  }

  @Test("A decoder reads abbreviated images of many kinds in any order")
  func manyKinds() throws {
    let decoder = ImageDecoder()
    for round in 0..<60 {
      let (side, quality, channels) = (8 + round % 7, 20 + round % 23, round % 2 == 0 ? 3 : 1)
      let pixels = ImageFixtures.pattern(width: side, height: side, channels: channels).bytes
      let short = try AbbreviatedJPEG(side: side, quality: quality, channels: channels).encode(pixels)
      let file = try JPEGEncoder.encode(
        pixels, width: side, height: side, channels: channels, quality: quality)
      #expect(try decoder.decode(short, channels: 3) == ImageDecoder().decode(file, channels: 3))
    }
  }

  /// `DecodedImage.resized` is another implementation of Pillow's resize than the renderer's.
  @Test("A smaller stored image is scaled up before it is cropped")
  func scaledUp() throws {
    for pipeline in Self.pipelines {
      let form = StoredForm(StoredFormat(.resized, size: 16, quality: 70), pipeline: pipeline)
      let small = try form(ImageFixtures.file("444.jpg"))
      #expect(try ImageHeader.read(small).width == 16)
      let decoded = try ImageDecoder().decode(small, channels: pipeline.channels)
      let large = decoded.resized(width: pipeline.plane, height: pipeline.plane)
      let plane = EncodedImage(
        bytes: large.pixels,
        encoding: .pixels(width: large.width, height: large.height, channels: large.channels))
      for view in Self.views {
        #expect(try levels(small, pipeline, view) == levels(plane, pipeline, view))
      }
    }
  }

  @Test("A lower quality and a smaller size take fewer bytes")
  func bytes() throws {
    let original = try ImageFixtures.file("rgb.png")
    func count(_ size: Int?, _ quality: Int?) throws -> Int {
      try StoredForm(
        StoredFormat(.resized, size: size, quality: quality), pipeline: Self.pipelines[0])(original).byteCount
    }
    let byQuality = try [95, 90, 75, 50, 30, 10].map { try count(nil, $0) }
    #expect(byQuality == byQuality.sorted(by: >) && Set(byQuality).count == 6)
    let bySize = try [24, 20, 16, 12, 8].map { try count($0, 50) }
    #expect(bySize == bySize.sorted(by: >) && Set(bySize).count == 5)
    // A size alone has the default quality, and a quality alone has the size from which crops are taken.
    #expect(try count(24, nil) == count(24, 90) && count(24, 75) == count(nil, 75))
  }

  @Test("With an explicit quality, a JPEG of the size is encoded again only if that makes it smaller")
  func againWhereSmaller() throws {
    let pipeline = Self.pipelines[0]
    let pixels = ImageFixtures.pattern(width: 24, height: 24, channels: 3).bytes
    let fine = try JPEGEncoder.encode(pixels, width: 24, height: 24, channels: 3, quality: 95)
    let coarse = try AbbreviatedJPEG(side: 24, quality: 5, channels: 3).encode(pixels)
    let form = StoredForm(StoredFormat(.resized, quality: 50), pipeline: pipeline)
    #expect(try form(fine).byteCount < fine.byteCount)
    #expect(try form(coarse) == coarse)
    #expect(try StoredForm(.resized, pipeline: pipeline)(fine) == fine)
    // An original that takes no more bytes than its replacement has the better quality.
    let flat = EncodedImage(
      bytes: try encodePNG([UInt8](repeating: 9, count: 24 * 24), width: 24, height: 24, channels: 1))
    let costly = StoredForm(StoredFormat(.resized, quality: 100), pipeline: pipeline)
    let replaced = try AbbreviatedJPEG(side: 24, quality: 100, channels: 3).encode(
      [UInt8](repeating: 9, count: 24 * 24 * 3))
    #expect(try costly(flat) == (flat.byteCount <= replaced.byteCount ? flat : replaced))
  }

  @Test("Images converted to the stored format first are trained on as they are replayed", arguments: [1, 3])
  func storedFirst(threads: Int) throws {
    let format = StoredFormat(.resized, size: 12, quality: 40)
    for pipeline in Self.pipelines {
      let pool = DecodePool(
        pipeline: pipeline, threads: threads, pixelType: .uint8, storedFormat: format)
      defer { pool.shutdown() }
      let files = try ["420.jpg", "rgb.png", "cmyk.jpg", "truncated.jpg"].map(ImageFixtures.file)
      let examples = (0..<40).map { Example(id: $0, label: 0, image: files[$0 % 4]) }
      let views = examples.map { ImagePipeline.View.augmented(seed: 2, id: $0.id, visit: 0) }
      let batch = try pool.submit(examples, views: views, isStoredFirst: true).wait()
      // The memory and the ledger get the image as it arrived.
      #expect(batch.examples.map(\.id) == examples.map(\.id).filter { $0 % 4 != 3 })
      #expect(batch.examples.allSatisfy { $0.image == files[$0.id % 4] })
      let form = StoredForm(format, pipeline: pipeline)
      let expected = try batch.examples.flatMap { try levels(form($0.image), pipeline, views[$0.id]) }
      #expect(batch.withLevels { $0.elementsEqual(expected) })
      let plain = try pool.submit(examples, views: views).wait()
      #expect(plain.withLevels { !$0.elementsEqual(expected) })
    }
  }

  @Test("An impossible header is refused, and truncated data is decoded without a crash or refused")
  func brokenAbbreviations() throws {
    for bytes: [UInt8] in [
      [0xFF, 0x02, 0, 0, 50, 1, 2], [0xFF, 0x02, 0, 8, 0, 1, 2], [0xFF, 0x02, 0, 8, 101, 1, 2],
      [0xFF, 0x02, 0, 8, 50], [0xFF, 0x02, 0xFF, 0xFF, 50, 1, 2],
    ] {
      #expect { try ImageDecoder().decode(EncodedImage(bytes: bytes), channels: 3) } throws: {
        ($0 as? OnePassError)?.code == .badData
      }
    }
    let pixels = ImageFixtures.pattern(width: 30, height: 30, channels: 3).bytes
    let whole = try AbbreviatedJPEG(side: 30, quality: 60, channels: 3).encode(pixels).bytes
    for count in 6..<whole.count {
      _ = try? ImageDecoder().decode(EncodedImage(bytes: Array(whole[..<count])), channels: 3)
    }
  }
}
