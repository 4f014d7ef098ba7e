import Foundation
import OnePassCore
import OnePassData
import Testing

/// The fixtures of Tools/reference_images.py, and slow reference implementations.
enum ImageFixtures {
  static func url(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures/Images/\(name)", withExtension: nil))
  }

  static func file(_ name: String) throws -> EncodedImage {
    EncodedImage(bytes: [UInt8](try Data(contentsOf: url(name))))
  }

  static func json<Value: Decodable>(_ name: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: url(name)))
  }

  /// The script's `pattern`, as raw pixels.
  static func pattern(width: Int, height: Int, channels: Int) -> EncodedImage {
    var bytes: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<channels {
          let texture = 9 * ((x * y + c * x) % 13) + 90 * ((x / 5 + y / 3) % 2)
          bytes.append(UInt8((3 * x + 5 * y + 40 * c + texture) % 256))
        }
      }
    }
    return EncodedImage(bytes: bytes, encoding: .pixels(width: width, height: height, channels: channels))
  }

}

struct DecodedFixtures: Decodable {
  struct Good: Decodable, Sendable, CustomTestStringConvertible {
    let file: String
    let width: Int
    let height: Int
    let rgb: Data
    let grey: Data
    var testDescription: String { file }
  }

  struct Bad: Decodable, Sendable, CustomTestStringConvertible {
    let file: String
    let reason: String
    var testDescription: String { file }
  }

  let good: [Good]
  let bad: [Bad]

  static let all: DecodedFixtures = {
    do {
      return try ImageFixtures.json("decoded.json")
    } catch {
      preconditionFailure("The fixtures are broken: run Tools/reference_images.py. \(error)")
    }
  }()
}

extension Data {
  /// The little-endian float32 numbers in these bytes.
  var floats: [Float] {
    stride(from: 0, to: count, by: 4).map { at in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(self[startIndex + at + $1]) << (8 * $1) })
    }
  }
}
