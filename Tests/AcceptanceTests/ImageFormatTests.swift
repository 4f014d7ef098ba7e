import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("Image formats and orientations, through the program", .waitsForPrograms) struct ImageFormatTests {
  static let formats = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../OnePassDataTests/Fixtures/Formats").standardizedFileURL

  /// A folder of two classes: those files of the fixtures, and of each several copies.
  private func photos(_ names: [String], copies: Int = 3) throws -> RunFixture {
    let folder = try TemporaryFolder()
    for (index, name) in names.enumerated() {
      let bytes = [UInt8](try Data(contentsOf: Self.formats.appendingPathComponent(name)))
      let suffix = name.split(separator: ".").last ?? ""
      for copy in 0..<copies {
        let label = (index + copy) % 2 == 0 ? "left" : "right"
        try folder.write(bytes, to: "photos/\(label)/\(index)-\(copy).\(suffix)")
      }
    }
    return RunFixture(folder, data: "folder:\(folder.path)/photos")
  }

  @Test("A folder of all formats is trained on, and no file is passed over")
  func allFormats() throws {
    let names = [
      "lossy.webp", "rgb.tiff", "jpeg-420.tiff", "grey.bmp", "rgb.ppm", "text.pgm", "jpeg-1.jpg", "png-1.png",
    ]
    let runs = try photos(names)
    try runs.train("run")
    let result = try runs.result("run")
    #expect(result.number("stream.examples") == 24 && result.number("stream.skipped") == 0)
    #expect(result.number("stream.rotated") == 0)
  }

  static let notice = "are stored rotated (Exif orientation); pass --orientation apply to turn them."

  @Test("Rotated images are counted and reported once, and turned where that is asked for")
  func orientations() throws {
    let rotated = try photos((1...8).map { "png-\($0).png" })
    // The same pixels, which are turned in any case.
    let upright = try photos((1...8).map { "tiff-\($0).tiff" })
    let plain = try rotated.train("plain").errors
    #expect(plain.contains("14 of the first 16 images \(Self.notice)"), "\(plain)")
    #expect(plain.components(separatedBy: Self.notice).count == 2)
    #expect(try rotated.result("plain").number("stream.rotated") == 21)
    for encoding in ["original", "pixels"] {
      let options = ["--orientation", "apply", "--memory-encoding", encoding]
      #expect(try !rotated.train(encoding, options).errors.contains(Self.notice))
      try upright.train(encoding, ["--memory-encoding", encoding])
      #expect(try rotated.result(encoding).number("stream.rotated") == 21)
      #expect(try upright.result(encoding).number("stream.rotated") == 0)
      #expect(try rotated.weights(encoding) == upright.weights(encoding), "\(encoding)")
      #expect(try rotated.weights(encoding) != rotated.weights("plain"))
    }
    // What a model was trained with is what it is evaluated with.
    func loss(_ run: String, of runs: RunFixture) throws -> Double? {
      let outcome = try onepass.run([
        "evaluate", "--checkpoint", rotated.folder.file(run), "--data", runs.data, "--json",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.json.number("loss")
    }
    #expect(try loss("original", of: rotated) == loss("original", of: upright))
    #expect(try loss("plain", of: rotated) != loss("plain", of: upright))
    #expect(try rotated.result("original").number("stream.examples") == 24)
  }

  @Test("A small image at the start does not decide the size, and the range of sizes is reported")
  func typicalSize() throws {
    let runs = try photos(["png-1.png", "rgb.bmp", "rgb.ppm"])
    let photograph = [UInt8](
      Array("P6 80 90 255\n".utf8) + Array(repeating: 7, count: 80 * 90 * 3))
    for index in 0..<12 { try runs.folder.write(photograph, to: "photos/left/large-\(index).ppm") }
    let outcome = try runs.train(nil, ["--limit", "16", "--seed", "2", "--json"])
    let text = outcome.errors
    #expect(text.contains("range from 21 x 14 to 80 x 90; trained at 224 pixels"), "\(text)")
    #expect(outcome.json.number("configuration.imageSize") == 224)
    let sized = try runs.train(nil, ["--limit", "16", "--seed", "2", "--image-size", "32"])
    #expect(!sized.errors.contains("range from"))
  }
}
