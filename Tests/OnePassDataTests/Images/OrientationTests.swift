import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Orientations, against Pillow's exif_transpose")
struct OrientationTests {
  @Test("Upright pixels, and those that are stored, are Pillow's", arguments: FormatFixtures.all.turned)
  func equalsPillow(fixture: FormatFixtures.Good) throws {
    let image = try FormatFixtures.file(fixture.file)
    let decoder = ImageDecoder(orientation: .apply)
    for channels in [3, 1] {
      let upright = try decoder.decode(image, channels: channels)
      #expect(upright.width == fixture.width && upright.height == fixture.height)
      #expect(upright.pixels == fixture.pixels(channels), "\(channels) channels")
    }
    let stored = try ImageDecoder().decode(image, channels: 3)
    #expect(stored.pixels == [UInt8](try #require(fixture.stored)))
  }

  @Test(
    "A header has the orientation and the size of the decoded image", arguments: FormatFixtures.all.turned)
  func header(fixture: FormatFixtures.Good) throws {
    let image = try FormatFixtures.file(fixture.file)
    let upright = try ImageHeader.read(image, orientation: .apply)
    #expect(upright.width == fixture.width && upright.height == fixture.height)
    let stored = try ImageHeader.read(image)
    // Pillow turns a TIFF when it loads it, and then has no orientation.
    guard upright.format != .tiff else {
      #expect(stored.width == fixture.width && stored.height == fixture.height)
      return
    }
    #expect(stored.orientation.rawValue == fixture.orientation && upright.orientation == stored.orientation)
    let isSwapped = stored.orientation.swapsSides
    #expect(stored.width == (isSwapped ? fixture.height : fixture.width))
  }

  @Test("A view of an upright image is that of its upright pixels", arguments: FormatFixtures.all.turned)
  func views(fixture: FormatFixtures.Good) throws {
    let image = try FormatFixtures.file(fixture.file)
    for channels in [1, 3] {
      let pixels = EncodedImage(
        bytes: fixture.pixels(channels),
        encoding: .pixels(width: fixture.width, height: fixture.height, channels: channels))
      for visit in 0..<3 {
        func view(_ image: EncodedImage, _ orientation: OrientationPolicy) throws -> [Float] {
          let pipeline = ImagePipeline(
            size: 9, channels: channels, geometry: .resizeAndCrop(resize: 12), orientation: orientation)
          var values = [Float](repeating: .nan, count: pipeline.elementsPerImage)
          try values.withUnsafeMutableBufferPointer {
            try ImageRenderer(pipeline: pipeline).render(
              image, .augmented(seed: 3, id: 0, visit: visit), into: $0)
          }
          return values
        }
        #expect(try view(image, .apply) == view(pixels, .ignore))
      }
    }
  }

  @Test("A stored form is upright exactly once", arguments: [MemoryEncoding.original, .pixels, .resized])
  func storedForms(encoding: MemoryEncoding) throws {
    for value in 1...8 {
      let pipeline = ImagePipeline(
        size: 16, channels: 3, geometry: .resizeAndCrop(resize: 16), orientation: .apply)
      func levels(_ image: EncodedImage) throws -> [UInt8] {
        var levels = [UInt8](repeating: 0, count: pipeline.elementsPerImage)
        try levels.withUnsafeMutableBufferPointer {
          try ImageRenderer(pipeline: pipeline).render(image, .centre, into: $0)
        }
        return levels
      }
      let image = try FormatFixtures.file("jpeg-\(value).jpg")
      let (direct, kept) = try (levels(image), levels(StoredForm(encoding, pipeline: pipeline)(image)))
      if encoding == .resized {
        let difference = zip(direct, kept).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(difference < 6 * direct.count, "orientation \(value): \(difference / direct.count)")
      } else {
        #expect(direct == kept, "orientation \(value)")
      }
    }
  }

  @Test("A resized JPEG that has the size already keeps its orientation, which is applied when it is shown")
  func resizedWithTheSizeAlready() throws {
    let file = try FormatFixtures.file("jpeg-3.jpg")
    let square = try ImageDecoder().decode(file, channels: 3).resized(width: 16, height: 16)
    let jpeg = try JPEGEncoder.encode(square.pixels, width: 16, height: 16, channels: 3)
    let marker = try #require(file.bytes.firstIndex(of: 0xE1))
    let length = Int(file.bytes[marker + 1]) << 8 | Int(file.bytes[marker + 2])
    let turned = EncodedImage(
      bytes: [0xFF, 0xD8] + file.bytes[marker - 1..<marker + 1 + length] + jpeg.bytes.dropFirst(2))
    let pipeline = ImagePipeline(
      size: 16, channels: 3, geometry: .resizeAndCrop(resize: 16), orientation: .apply)
    let kept = try StoredForm(.resized, pipeline: pipeline)(turned)
    let decoder = ImageDecoder(orientation: .apply)
    #expect(try decoder.decode(kept, channels: 3).pixels == decoder.decode(turned, channels: 3).pixels)
    let stored = try ImageDecoder().decode(turned, channels: 3).pixels
    #expect(try decoder.decode(turned, channels: 3).pixels != stored)
  }

  @Test("A pipeline of an older record ignores orientations, and one that does is written as before")
  func records() throws {
    let plain = ImagePipeline(size: 9, channels: 1, geometry: .padAndCrop(padding: 2))
    let old = #"""
      {"size": 9, "channels": 1, "geometry": {"padAndCrop": {"padding": 2}},
       "normalisation": {"mean": [0.449], "deviation": [0.226]}}
      """#
    #expect(try JSONDecoder().decode(ImagePipeline.self, from: Data(old.utf8)) == plain)
    let written = try JSONSerialization.jsonObject(with: JSONEncoder().encode(plain)) as? [String: Any]
    #expect(Set(try #require(written).keys) == ["size", "channels", "geometry", "normalisation"])
    let upright = ImagePipeline(size: 9, channels: 1, geometry: .padAndCrop(padding: 2), orientation: .apply)
    #expect(try JSONDecoder().decode(ImagePipeline.self, from: JSONEncoder().encode(upright)) == upright)
    #expect(upright != plain)
  }

  @Test("Metadata that is cut off or points anywhere is no orientation, and no crash")
  func brokenMetadata() throws {
    for name in ["jpeg-6.jpg", "xmp-6.jpg", "png-6.png", "webp-6.webp", "xmp-8.webp"] {
      let whole = try FormatFixtures.file(name).bytes
      for seed in 0..<1_000 {
        var chance = SeededGenerator(seed: 2, .test, seed)
        var bytes = whole
        for _ in 0..<3 { bytes[chance.next(below: min(120, bytes.count))] = UInt8(chance.next(below: 256)) }
        if seed % 4 == 0 { bytes = Array(whole[..<chance.next(below: whole.count)]) }
        do { _ = try ImageHeader.read(EncodedImage(bytes: bytes), orientation: .apply) } catch {
          #expect((error as? OnePassError)?.code == .badData, "\(name), seed \(seed): \(error)")
        }
      }
    }
  }
}
