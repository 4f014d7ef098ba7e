import Foundation
import OnePassCore
import Testing

@testable import OnePassData

/// Only the visible part of a JPEG is decoded. Its pixels must be those of the whole image.
@Suite("Decoding a part of a JPEG")
struct PartialDecodeTests {
  struct Files: Decodable {
    struct File: Decodable {
      let name: String
      let bytes: Data
    }
    let files: [File]
  }

  static func files() throws -> [Files.File] { try (ImageFixtures.json("partial.json") as Files).files }

  func render(_ image: EncodedImage, _ pipeline: ImagePipeline, _ window: CropWindow) throws -> [Float] {
    var values = [Float](repeating: .nan, count: pipeline.elementsPerImage)
    try values.withUnsafeMutableBufferPointer {
      try ImageRenderer(pipeline: pipeline).render(image, window, into: .float32($0.baseAddress!))
    }
    return values
  }

  @Test("Any region has the pixels of the whole image")
  func regions() throws {
    let decoder = ImageDecoder()
    for file in try Self.files() {
      let image = EncodedImage(bytes: [UInt8](file.bytes))
      for channels in [1, 3] {
        let whole = try decoder.decode(image, channels: channels).pixels
        try expectRegions(of: image, file.name, channels: channels, equal: whole, seeds: 0..<12, by: decoder)
      }
    }
  }

  @Test("A view of a JPEG equals the view of its decoded pixels")
  func views() throws {
    for file in try Self.files() {
      let image = EncodedImage(bytes: [UInt8](file.bytes))
      let whole = try ImageDecoder().decode(image, channels: 3)
      let pixels = EncodedImage(
        bytes: whole.pixels, encoding: .pixels(width: whole.width, height: whole.height, channels: 3))
      for channels in [1, 3] {
        let pipelines = [
          ImagePipeline(size: 40, channels: channels, geometry: .resizeAndCrop(resize: 60)),
          ImagePipeline(size: 24, channels: channels, geometry: .padAndCrop(padding: 4)),
        ]
        for pipeline in pipelines {
          for visit in 0..<4 {
            let window = CropWindow(pipeline, .augmented(seed: 3, id: 0, visit: visit))
            #expect(
              try render(image, pipeline, window) == render(pixels, pipeline, window),
              "\(file.name), \(window)")
          }
        }
      }
    }
  }

  @Test("A truncated file is refused for any requested region")
  func cuts() throws {
    let decoder = ImageDecoder()
    for file in try Self.files() {
      let bytes = [UInt8](file.bytes)
      let header = try ImageHeader.read(EncodedImage(bytes: bytes))
      for seed in 0..<10 {
        var chance = SeededGenerator(seed: 8, .test, seed)
        let cut = EncodedImage(
          bytes: Array(bytes[..<(bytes.count - 1 - chance.next(below: bytes.count / 2))]))
        let region = PixelRegion(rows: 0..<1 + chance.next(below: header.height), columns: 0..<header.width)
        let error = #expect(throws: OnePassError.self, "\(file.name), \(cut.bytes.count) bytes, \(region)") {
          try decoder.forEachStrip(of: cut, header, channels: 3, region: region) { _ in }
        }
        #expect(error?.message.contains("is truncated") == true, "\(file.name): \(error?.message ?? "")")
      }
    }
  }

  @Test("Damaged bytes never crash the decoder for any requested region")
  func fuzz() throws {
    let decoder = ImageDecoder(limits: ImageLimits(pixels: 1 << 16))
    for file in try Self.files() {
      for seed in 0..<30 {
        var chance = SeededGenerator(seed: 9, .test, seed)
        var bytes = [UInt8](file.bytes)
        for _ in 0..<(1 + seed % 4) {
          bytes[chance.next(below: bytes.count)] = UInt8(chance.next(below: 256))
        }
        if seed % 3 == 0 { bytes.removeLast(chance.next(below: bytes.count)) }
        let image = EncodedImage(bytes: bytes)
        do {
          let header = try ImageHeader.read(image, limits: decoder.limits)
          let (top, left) = (chance.next(below: header.height), chance.next(below: header.width))
          let region = PixelRegion(
            rows: top..<top + 1 + chance.next(below: header.height - top),
            columns: left..<left + 1 + chance.next(below: header.width - left))
          var sum = 0
          try decoder.forEachStrip(
            of: image, header, channels: 3, isPadded: true, region: region
          ) { strip in
            for row in strip.rows { sum &+= Int(strip.row(row)[(region.columns.count - 1) * strip.step]) }
          }
        } catch {
          #expect((error as? OnePassError)?.code == .badData, "\(file.name), seed \(seed): \(error)")
        }
      }
    }
  }
}
