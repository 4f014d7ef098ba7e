import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Decoding images, compared with Pillow")
struct ImageDecoderTests {
  @Test("A file decodes to Pillow's pixels", arguments: DecodedFixtures.all.good)
  func equalsPillow(fixture: DecodedFixtures.Good) throws {
    let decoder = ImageDecoder()
    let image = try ImageFixtures.file(fixture.file)
    // Twice, to detect reused memory that leaks into the next image.
    for _ in 0..<2 {
      let rgb = try decoder.decode(image, channels: 3)
      #expect(rgb.width == fixture.width && rgb.height == fixture.height && rgb.channels == 3)
      #expect(rgb.pixels == [UInt8](fixture.rgb))
      let grey = try decoder.decode(image, channels: 1)
      #expect(grey.width == fixture.width && grey.height == fixture.height && grey.channels == 1)
      #expect(grey.pixels == [UInt8](fixture.grey))
    }
  }

  @Test("A bad file is refused with the reason, and before memory is allocated if its header is bad")
  func refusesBadFiles() throws {
    for fixture in DecodedFixtures.all.bad {
      let decoder = ImageDecoder()
      let image = try ImageFixtures.file(fixture.file)
      let error = #expect(throws: OnePassError.self, "\(fixture.file)") {
        try decoder.decode(image, channels: 3)
      }
      #expect(error?.code == .badData, "\(fixture.file)")
      #expect(error?.message.contains(fixture.reason) == true, "\(fixture.file): \(error?.message ?? "")")
      if fixture.file.hasPrefix("bomb") { #expect(decoder.pixels.capacity == 0, "\(fixture.file)") }
      // The decoder must still work afterwards.
      let whole = try decoder.decode(ImageFixtures.file("420.jpg"), channels: 3)
      let reference = try #require(DecodedFixtures.all.good.first { $0.file == "420.jpg" })
      #expect(whole.pixels == [UInt8](reference.rgb), "after \(fixture.file)")
    }
  }

  /// Each format has a maximum number of pixels per byte.
  @Test(
    "A file that is too short for its size in pixels is refused before it is decoded",
    arguments: ["444.jpg", "progressive.jpg", "rgb.png", "one-bit.png"])
  func tooShortForItsSize(name: String) throws {
    var bytes = try ImageFixtures.file(name).bytes
    // Pixels per byte: 8,256 for grey PNGs of depth 1, 344 for RGB PNGs, 1,024 for JPEGs.
    let most = name == "one-bit.png" ? 8_256 : name == "rgb.png" ? 344 : 1_024
    for (pixels, isRefused) in [(bytes.count * most, false), ((bytes.count + 1) * most, true)] {
      let side = Int(Double(pixels).squareRoot().rounded(isRefused ? .up : .down))
      let (high, low) = (UInt8(side >> 8), UInt8(side & 255))
      let frame = zip(bytes, bytes.dropFirst()).enumerated().first {
        $1.0 == 0xFF && (0xC0...0xC2).contains($1.1)
      }
      if name.hasSuffix("jpg") {
        bytes.replaceSubrange(
          try #require(frame).offset + 5..<(try #require(frame).offset + 9), with: [high, low, high, low])
      } else {
        bytes.replaceSubrange(16..<24, with: [0, 0, high, low, 0, 0, high, low])
      }
      let image = EncodedImage(bytes: bytes)
      if isRefused {
        #expect {
          try ImageHeader.read(image)
        } throws: {
          "\($0)".contains(
            "is truncated: \(bytes.count) bytes cannot hold \(side) x \(side) pixels")
        }
      } else {
        #expect(try ImageHeader.read(image).width == side)
      }
    }
  }

  @Test("A large progressive JPEG with too many scans is refused")
  func manyScans() throws {
    var bytes = try ImageFixtures.file("progressive.jpg").bytes
    let pairs = Array(zip(bytes, bytes.dropFirst()))
    let frame = try #require(pairs.firstIndex { $0 == (0xFF, 0xC2) })
    let scan = try #require(pairs.lastIndex { $0 == (0xFF, 0xDA) })
    let repeated = Array(bytes[scan..<(bytes.count - 2)])
    for (side, scans, limit) in [(4_000, 150, 25), (64, 600, 500)] {
      bytes.replaceSubrange(
        frame + 5..<frame + 9,
        with: [UInt8(side >> 8), UInt8(side & 255), UInt8(side >> 8), UInt8(side & 255)])
      let file = bytes.dropLast(2) + Array(repeating: repeated, count: scans).joined() + [0xFF, 0xD9]
      #expect {
        try ImageDecoder().decode(EncodedImage(bytes: Array(file)), channels: 3)
      } throws: {
        "\($0)".contains("more than \(limit) scans")
      }
    }
  }

  @Test("The error about a decompression bomb states the size, the limits and the remedy")
  func bombMessage() throws {
    let image = try ImageFixtures.file("bomb.jpg")
    let error = #expect(throws: OnePassError.self) { try ImageHeader.read(image) }
    #expect(
      error?.message
        == "The image has 60000 x 60000 pixels, but the maximum is 65500 a side and 100000000 in total; "
        + "scale it down or remove it.")
  }

  @Test("Limits are inclusive")
  func limits() throws {
    let image = try ImageFixtures.file("420.jpg")  // 37 x 29
    #expect(throws: Never.self) {
      try ImageHeader.read(image, limits: ImageLimits(pixels: 37 * 29, side: 37))
    }
    #expect(throws: OnePassError.self) {
      try ImageHeader.read(image, limits: ImageLimits(pixels: 37 * 29 - 1))
    }
    #expect(throws: OnePassError.self) { try ImageHeader.read(image, limits: ImageLimits(side: 36)) }
  }

  @Test(
    "A header has the size and the channels without decoding",
    arguments: [
      ("420.jpg", 3, ImageFormat.jpeg), ("grey.jpg", 1, .jpeg), ("ycck.jpg", 3, .jpeg),
      ("exif-rotated.jpg", 3, .jpeg),
      ("jpeg-called.png", 3, .jpeg), ("png-called.jpg", 3, .png), ("palette.png", 3, .png),
      ("grey-alpha.png", 1, .png),
      ("grey-16-bit.png", 1, .png), ("truncated.jpg", 3, .jpeg),
    ])
  func header(file: String, channels: Int, format: ImageFormat) throws {
    let header = try ImageHeader.read(ImageFixtures.file(file))
    #expect(header.width == 37 && header.height == 29 && header.channels == channels)
    #expect(header.format == format)
  }

  @Test("Raw pixels are unchanged, grey is repeated in three channels, and colours become Pillow's luma")
  func barePixels() throws {
    let decoder = ImageDecoder()
    let reference = try #require(DecodedFixtures.all.good.first { $0.file == "rgb.png" })
    let colour = ImageFixtures.pattern(width: 37, height: 29, channels: 3)
    #expect(colour.bytes == [UInt8](reference.rgb), "The pattern differs from the script's.")
    #expect(try decoder.decode(colour, channels: 3).pixels == colour.bytes)
    #expect(try decoder.decode(colour, channels: 1).pixels == [UInt8](reference.grey))
    let grey = EncodedImage(bytes: [1, 2, 3, 4, 5, 6], encoding: .pixels(width: 3, height: 2, channels: 1))
    #expect(try decoder.decode(grey, channels: 1).pixels == grey.bytes)
    #expect(
      try decoder.decode(grey, channels: 3).pixels == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6])
  }

  @Test(
    "Raw pixels that do not match their shape are refused",
    arguments: [(3, 2, 1), (0, 6, 1), (-5, -1, 1), (5, 1, 2), (1 << 40, 1 << 40, 3), (1, 1, 5)])
  func badBarePixels(width: Int, height: Int, channels: Int) {
    let image = EncodedImage(
      bytes: [1, 2, 3, 4, 5], encoding: .pixels(width: width, height: height, channels: channels))
    let error = #expect(throws: OnePassError.self) { try ImageDecoder().decode(image, channels: 3) }
    #expect(error?.code == .badData)
  }

  @Test("Damaged bytes are decoded or refused, and never crash the decoder")
  func fuzz() throws {
    let decoder = ImageDecoder(limits: ImageLimits(pixels: 1 << 16))
    for file in [
      "420.jpg", "progressive.jpg", "cmyk.jpg", "palette.png", "rgb-interlaced.png", "grey-16-bit.png",
    ] {
      let whole = try ImageFixtures.file(file).bytes
      for seed in 0..<200 {
        var generator = SeededGenerator(seed: 1, .test, seed)
        var bytes = whole
        for _ in 0..<(1 + seed % 4) {
          bytes[generator.next(below: bytes.count)] = UInt8(generator.next(below: 256))
        }
        if seed % 3 == 0 { bytes.removeLast(generator.next(below: bytes.count)) }
        do {
          let image = try decoder.decode(EncodedImage(bytes: bytes), channels: 1 + 2 * (seed % 2))
          #expect(image.pixels.count == image.width * image.height * image.channels)
        } catch {
          #expect((error as? OnePassError)?.code == .badData, "\(file), seed \(seed): \(error)")
        }
      }
    }
  }
}
