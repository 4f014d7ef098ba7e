import Foundation
import TestSupport
import Testing

@testable import OnePassData

/// A model of three classes of images in folders, trained once for all tests.
struct PhotoRuns: Sendable {
  /// A class with a comma and quotation marks in its name.
  static let classes = ["ant", "bee, \"queen\"", "cat"]
  static let shared = Shared<String, PhotoRuns>()

  let folder: TemporaryFolder
  var model: String { folder.file("run") }
  var test: String { folder.file("test") }

  static func trained() throws -> PhotoRuns {
    try shared.value(for: "photos") { try PhotoRuns() }
  }

  private init() throws {
    folder = try TemporaryFolder()
    for index in 0..<120 {
      try folder.write(Self.file(index), to: "photos/\(Self.classes[index % 3])/\(index).png")
    }
    // The classes have different numbers of images, one none. Every fifth image looks like one of this class.
    for index in 0..<40 {
      let label = index % 4 == 0 ? 0 : 2
      let look = index % 5 == 1 ? 1 : label
      try folder.write(Self.file(300 + 3 * index + look), to: "test/\(Self.classes[label])/\(index).png")
    }
    let run = RunFixture(folder, data: "folder:\(folder.file("photos"))")
    try run.train("run", ["--method", "multi-epoch", "--epochs", "2", "--learning-rate", "0.02"])
  }

  /// A noisy image whose brightness depends on its class, `index` modulo 3.
  static func file(_ index: Int) throws -> [UInt8] {
    let images = StripedImages(count: 1, seed: UInt64(index))
    let pixels = images.pixels(0).map { UInt8(Int($0) / 2 + 25 * (index % 3)) }
    return try encodePNG(pixels, width: 12, height: 12, channels: 1)
  }
}
