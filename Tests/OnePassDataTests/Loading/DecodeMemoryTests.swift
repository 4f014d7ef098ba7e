import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Images within the budget for decoding") struct ImageMemoryTests {
  static let pipeline = ImagePipeline(size: 24, channels: 3, geometry: .resizeAndCrop(resize: 32))

  /// A PNG of noise-free pixels, whose decoded size is much larger than the file.
  static func png(width: Int, height: Int) throws -> EncodedImage {
    let pixels = ImageFixtures.pattern(width: width, height: height, channels: 3).bytes
    return EncodedImage(bytes: try encodePNG(pixels, width: width, height: height, channels: 3))
  }

  static func render(_ image: EncodedImage, _ memory: DecodeMemory) throws -> [Float] {
    let renderer = ImageRenderer(
      pipeline: pipeline, limits: ImageLimits(), augmentation: .standard, memory: memory)
    var pixels = [Float](repeating: 0, count: pipeline.elementsPerImage)
    try pixels.withUnsafeMutableBufferPointer { try renderer.render(image, .centre, into: $0) }
    return pixels
  }

  @Test("An image that does not fit alone is refused with the option that admits it")
  func anImageThatDoesNotFitIsRefused() throws {
    let image = try Self.png(width: 600, height: 500)
    // 3 bytes a pixel, and 32 for a column.
    let needed = 3 * 600 * 500 + 32 * 600
    expectError(.badData, naming: ["600 x 500", "919 kB", "--decode-memory"]) {
      _ = try Self.render(image, DecodeMemory(bytes: 2 * needed - 2))
    }
    let (tight, wide) = (DecodeMemory(bytes: 2 * needed), DecodeMemory(bytes: 1 << 40))
    #expect(try Self.render(image, tight) == Self.render(image, wide))
    #expect(tight.peak == needed)
  }

  @Test("Several decoders together stay within the budget, and the pixels do not depend on it")
  func decodersStayWithinTheBudget() throws {
    let images = try (0..<12).map { try Self.png(width: 400 + 20 * $0, height: 300 + 10 * $0) }
    let examples = images.enumerated().map { Example(id: $0.offset, label: 0, image: $0.element) }
    func decode(_ memory: DecodeMemory, threads: Int) throws -> [Float] {
      let queue = DecodeQueue(
        pipeline: Self.pipeline, pixelType: .float32, limits: ImageLimits(), capacity: 100, threads: threads,
        memory: memory)
      let pool = BatchMemoryPool(limit: 1)
      let job = DecodeJob(
        examples: examples, views: examples.map { _ in .centre },
        memory: pool.take(count: 12 * 4 * Self.pipeline.elementsPerImage))
      for _ in 0..<threads { Thread { queue.work() }.start() }
      queue.add(job)
      defer { queue.stop() }
      return try queue.wait(for: job).withPixels { Array($0) }
    }
    // The largest image takes about 808 kB.
    let (tight, wide) = (DecodeMemory(bytes: 1_700_000), DecodeMemory(bytes: 1 << 40))
    #expect(try decode(tight, threads: 4) == decode(wide, threads: 4))
    #expect(tight.peak <= 1_700_000 / 2 && tight.peak > 600_000)
    #expect(try decode(wide, threads: 1) == decode(tight, threads: 1))
  }

  @Test("An image that waits is counted, or written to a file beyond its share, with the same bytes")
  func waitingImagesKeepTheirBytes() throws {
    let memory = DecodeMemory(bytes: 1_000_000)
    let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    func waiting(_ count: Int) throws -> EncodedImage {
      try Example(id: 3, label: 1, image: EncodedImage(bytes: Array(bytes.prefix(count))), subject: "s")
        .waiting(in: memory).image
    }
    let (small, counted, written) = try (waiting(4_000), waiting(60_000), waiting(70_000))
    #expect(memory.inFlight == 60_000 && memory.bytesWritten == 70_000)
    #expect(
      written.bytes == bytes && counted.bytes == Array(bytes.prefix(60_000)) && small.byteCount == 4_000)
    #expect(written.hasOwnBytes && written.byteCount == 70_000 && written == EncodedImage(bytes: bytes))
    #expect(written.uncounted.isUncounted && written.uncounted == written)
    let again = try Example(id: 3, label: 1, image: written).waiting(in: memory)
    #expect(memory.bytesWritten == 70_000 && again.image == written)
  }

  /// 30 million grey pixels of one level take 30 kB, and a second or more.
  @Test("A tiny file of a huge image is refused by its header, and a larger file of it is not")
  func tinyFilesOfHugeImagesAreRefused() throws {
    let pixels = [UInt8](repeating: 7, count: 6_000 * 5_000)
    let small = EncodedImage(bytes: try encodePNG(pixels, width: 6_000, height: 5_000, channels: 1))
    #expect(small.byteCount < 50_000)
    expectError(.badData, naming: ["6000 x 5000", "a byte for every 512"]) { _ = try ImageHeader.read(small) }
    // Bytes after the end of a PNG are no part of it, but they are bytes of the file.
    let longer = EncodedImage(bytes: small.bytes + [UInt8](repeating: 0, count: 60_000))
    #expect(try ImageHeader.read(longer).width == 6_000)
  }

  @Test("A page of a Parquet file that exceeds the share of a source is refused with its column")
  func largePagesAreRefused() throws {
    let path = try ParquetVariants.path("ordered")
    let footer = try ParquetAccess(path, HTTPLimits()).footer()
    let leaf = try #require(ParquetColumns(of: footer, image: nil, label: nil).image.bytes)
    func column(_ memory: DecodeMemory) throws -> ParquetColumn {
      let chunk = try footer.chunk(of: leaf, group: 0)
      return ParquetColumn(
        chunk, of: leaf, in: "t", input: try FileInput(OpenFile(reading: path), range: chunk.range),
        memory: memory)
    }
    let memory = DecodeMemory(bytes: 1_000_000)
    let whole = try column(memory)
    while try whole.next() != nil {}
    #expect(memory.peak > 100 && memory.inFlight > 0)
    expectError(.badData, naming: ["t: column", "a page takes", "--decode-memory"]) {
      let small = try column(DecodeMemory(bytes: 16 * (memory.peak / 6)))
      while try small.next() != nil {}
    }
  }

  @Test("A server that answers without an end in place of an index is not read to its end")
  func endlessIndicesAreNotRead() throws {
    let server = try LoopbackServer { request, _, connection in
      connection.head("200 OK", [:])
      for _ in 0..<64 { connection.send([UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)) }
    }
    let memory = DecodeMemory(bytes: 16_000_000)
    #expect(
      try ShardIndex.fetch(HTTPAddress(server.url("t.json")), limits: HTTPLimits(), memory: memory) == nil)
    let kind = #"{"__kind__": "wids-shard-index-v1", "rest": ""#
    let long = try LoopbackServer { _, _, connection in
      connection.head("200 OK", [:])
      connection.send(Array(kind.utf8) + [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20))
    }
    expectError(.badData, naming: ["t.json: the index takes", "--decode-memory"]) {
      _ = try ShardIndex.fetch(HTTPAddress(long.url("t.json")), limits: HTTPLimits(), memory: memory)
    }
  }

  @Test("The coefficients of a JPEG with several scans are counted, which libjpeg keeps")
  func scansAreCounted() throws {
    #expect(try ImageHeader.read(ImageFixtures.file("progressive.jpg")).hasSeveralScans)
    #expect(try !ImageHeader.read(ImageFixtures.file("420.jpg")).hasSeveralScans)
    // A baseline frame of 1,000 x 1,000 pixels in three components, with an empty table, and a scan of one of them.
    let frame: [UInt8] = [0xFF, 0xC0, 0, 17, 8, 3, 0xE8, 3, 0xE8, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
    func file(_ components: UInt8) -> EncodedImage {
      let scan: [UInt8] = [0xFF, 0xDA, 0, 6 + 2 * components, components]
      let rest = [UInt8](repeating: 1, count: 2_000)
      return EncodedImage(bytes: [0xFF, 0xD8] + frame + [0xFF, 0xC4, 0, 4, 1, 2] + scan + rest)
    }
    let (divided, whole) = try (ImageHeader.read(file(1)), ImageHeader.read(file(3)))
    #expect(divided.hasSeveralScans && divided.decodingBytes(channels: 3) > 6_000_000)
    #expect(!whole.hasSeveralScans && whole.decodingBytes(channels: 3) < 300_000)
  }
}
