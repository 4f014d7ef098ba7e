import Foundation
import OnePassCore
import Testing

@testable import OnePassData

/// What Tools/reference_formats.py wrote.
struct FormatFixtures: Decodable {
  struct Good: Decodable, Sendable, CustomTestStringConvertible {
    let file: String
    let width: Int
    let height: Int
    let rgb: Data
    let grey: Data
    /// Of files with an orientation: what is stored.
    let stored: Data?
    let orientation: Int?
    var testDescription: String { file }

    func pixels(_ channels: Int) -> [UInt8] { [UInt8](channels == 3 ? rgb : grey) }
  }

  struct Bad: Decodable, Sendable, CustomTestStringConvertible {
    let file: String
    let reason: String
    var testDescription: String { file }
  }

  let good: [Good]
  let turned: [Good]
  let bad: [Bad]

  static let all: FormatFixtures = {
    do {
      return try JSONDecoder().decode(FormatFixtures.self, from: Data(contentsOf: url("formats.json")))
    } catch {
      preconditionFailure("The fixtures are broken: run Tools/reference_formats.py. \(error)")
    }
  }()

  static func url(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures/Formats/\(name)", withExtension: nil))
  }

  static func file(_ name: String) throws -> EncodedImage {
    EncodedImage(bytes: [UInt8](try Data(contentsOf: url(name))))
  }

  /// The files of each format.
  static let formats = ["webp", "tiff", "bmp", "pnm"]
  static func files(of format: String) -> [Good] {
    all.good.filter { fixture in
      let suffix = fixture.file.split(separator: ".").last ?? ""
      return format == "pnm" ? ["ppm", "pgm", "pbm"].contains(suffix) : suffix == format
    }
  }
}
