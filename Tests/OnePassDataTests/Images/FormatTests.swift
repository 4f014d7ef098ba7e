import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Decoding WebP, TIFF, BMP and PNM, against Pillow")
struct FormatTests {
  @Test("A file decodes to Pillow's pixels", arguments: FormatFixtures.all.good)
  func equalsPillow(fixture: FormatFixtures.Good) throws {
    let decoder = ImageDecoder()
    let image = try FormatFixtures.file(fixture.file)
    // Twice over, so that memory used again shows if it leaks into the next image.
    for _ in 0..<2 {
      for channels in [3, 1] {
        let decoded = try decoder.decode(image, channels: channels)
        #expect(decoded.width == fixture.width && decoded.height == fixture.height)
        #expect(decoded.pixels == fixture.pixels(channels), "\(channels) channels")
      }
    }
  }

  @Test("A header has the size, the format and whether there are colours", arguments: FormatFixtures.all.good)
  func header(fixture: FormatFixtures.Good) throws {
    let header = try ImageHeader.read(FormatFixtures.file(fixture.file))
    #expect(header.width == fixture.width && header.height == fixture.height)
    if header.channels == 1 {
      let grey = fixture.grey.flatMap { [$0, $0, $0] }
      #expect(grey == [UInt8](fixture.rgb), "A file of grey levels has colours.")
    }
    let suffix = fixture.file.split(separator: ".").last ?? ""
    #expect(
      header.format == (ImageFormat(rawValue: suffix.uppercased()) ?? (suffix == "webp" ? .webp : .pnm)))
  }

  @Test("Any region has the pixels of the whole image", arguments: FormatFixtures.formats)
  func regions(format: String) throws {
    let decoder = ImageDecoder()
    for fixture in FormatFixtures.files(of: format) {
      let image = try FormatFixtures.file(fixture.file)
      for (channels, seeds) in [(3, 0..<6), (1, 6..<8)] {
        try expectRegions(
          of: image, fixture.file, channels: channels, equal: fixture.pixels(channels), seeds: seeds,
          by: decoder)
      }
    }
  }

  @Test(
    "A bad file is refused with its reason, before memory is taken where its claim is too large",
    arguments: FormatFixtures.all.bad)
  func refusesBadFiles(fixture: FormatFixtures.Bad) throws {
    let decoder = ImageDecoder()
    let error = #expect(throws: OnePassError.self) {
      try decoder.decode(FormatFixtures.file(fixture.file), channels: 3)
    }
    #expect(error?.code == .badData)
    #expect(error?.message.contains(fixture.reason) == true, "\(error?.message ?? "")")
    if fixture.file.hasPrefix("bomb") { #expect(decoder.pixels.capacity == 0) }
  }

  @Test(
    "A file that is too short for its claim is refused before it is decoded",
    arguments: [("rgb.bmp", [18, 22]), ("lossy.webp", [26, 28])])
  func tooShortForItsClaim(name: String, sides: [Int]) throws {
    var bytes = try FormatFixtures.file(name).bytes
    for place in sides { bytes.replaceSubrange(place..<place + 2, with: [0, 0x27]) }
    let claim = "is truncated: \(bytes.count) bytes cannot hold 9984 x 9984 pixels"
    #expect {
      try ImageHeader.read(EncodedImage(bytes: bytes))
    } throws: { "\($0)".contains(claim) }
  }

  /// One or two of each way through a decoder.
  static let damaged = [
    "lossy.webp", "lossless-alpha.webp", "animated-within.webp", "deflate.tiff", "jpeg-420.tiff",
    "planes-tiles.tiff",
    "group4.tiff", "big.tiff", "rgb.bmp", "runs.bmp", "one-bit.bmp", "comments.ppm", "text.pgm", "16-bit.pgm",
  ]

  @Test("A file that is cut off anywhere is refused or decodes, without a crash", arguments: damaged)
  func cuts(name: String) throws {
    let decoder = ImageDecoder(limits: ImageLimits(pixels: 1 << 16))
    let whole = try FormatFixtures.file(name).bytes
    var decoded = 0
    for count in 0..<whole.count {
      do {
        _ = try decoder.decode(EncodedImage(bytes: Array(whole[..<count])), channels: 3)
        decoded += 1
      } catch {
        #expect((error as? OnePassError)?.code == .badData, "\(name), \(count) bytes: \(error)")
      }
    }
    // Padding, a directory's last words or a last digit may be missing, and no more.
    #expect(decoded <= 20, "\(name): \(decoded) of \(whole.count) cuts were not noticed.")
  }

  @Test("Damaged bytes never crash: they decode or are refused", arguments: FormatFixtures.formats)
  func mutations(format: String) throws {
    let decoder = ImageDecoder(limits: ImageLimits(pixels: 1 << 16), orientation: .apply)
    let files = try FormatFixtures.files(of: format).map { ($0.file, try FormatFixtures.file($0.file).bytes) }
    for seed in 0..<2_000 {
      var chance = SeededGenerator(seed: 1, .test, seed)
      var (name, bytes) = files[chance.next(below: files.count)]
      for _ in 0..<(1 + seed % 4) {
        // The first bytes say the most.
        let place = chance.next(below: seed % 3 == 0 ? min(64, bytes.count) : bytes.count)
        bytes[place] = UInt8(chance.next(below: 256))
      }
      if seed % 5 == 0 { bytes.removeLast(chance.next(below: bytes.count)) }
      do {
        let image = try decoder.decode(EncodedImage(bytes: bytes), channels: 1 + 2 * (seed % 2))
        #expect(image.pixels.count == image.width * image.height * image.channels)
      } catch {
        #expect((error as? OnePassError)?.code == .badData, "\(name), seed \(seed): \(error)")
      }
    }
  }
}
