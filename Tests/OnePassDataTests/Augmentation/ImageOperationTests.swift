import Foundation
import OnePassCore
import Testing

@testable import OnePassData

/// The fixtures of Tools/reference_augmentation.py.
struct OperationFixtures: Decodable {
  struct Image: Decodable {
    let name: String
    let side: Int
    let channels: Int
    let levels: Data

    /// With a mean of 0.5 in each channel.
    var augmenter: ImageAugmenter {
      let augmenter = ImageAugmenter(
        .standard,
        pipeline: ImagePipeline(
          size: side, channels: channels, geometry: .padAndCrop(padding: 0),
          normalisation: Normalisation(
            mean: Array(repeating: 0.5, count: channels), deviation: Array(repeating: 1, count: channels))))
      augmenter.levels.update(from: Array(levels), count: levels.count)
      return augmenter
    }
  }

  struct Case: Decodable {
    let image: String
    let policy: AugmentationPolicy.RawValue
    let operation: String
    let bin: Int
    let sign: Double
    /// Torchvision's, rounded to float32.
    let magnitude: Double
    let result: Data
  }

  let images: [Image]
  let cases: [Case]
}

@Suite("Operations on the levels of an image")
struct ImageOperationTests {
  static let kinds: [String: AugmentationPolicy.Kind] = [
    "Identity": .identity, "ShearX": .shearX, "ShearY": .shearY, "TranslateX": .translateX,
    "TranslateY": .translateY, "Rotate": .rotate, "Brightness": .brightness, "Color": .colour,
    "Contrast": .contrast, "Sharpness": .sharpness, "Posterize": .posterise, "Solarize": .solarise,
    "AutoContrast": .autoContrast, "Equalize": .equalise,
  ]

  let fixtures: OperationFixtures

  init() throws { fixtures = try Self.all.get() }

  static let all = Result { () throws -> OperationFixtures in try ImageFixtures.json("operations.json") }

  /// The operation as torchvision calls it.
  func operation(_ kind: AugmentationPolicy.Kind, _ magnitude: Double) -> ImageOperation? {
    switch kind {
    case .identity: nil
    case .shearX: .shearX(magnitude)
    case .shearY: .shearY(magnitude)
    case .translateX: .translateX(Int(magnitude))
    case .translateY: .translateY(Int(magnitude))
    case .rotate: .rotate(degrees: magnitude)
    case .brightness: .brightness(1 + magnitude)
    case .colour: .colour(1 + magnitude)
    case .contrast: .contrast(1 + magnitude)
    case .sharpness: .sharpness(1 + magnitude)
    case .posterise: .posterise(bits: Int(magnitude))
    case .solarise: .solarise(threshold: 255 * magnitude)
    case .autoContrast: .autoContrast
    case .equalise: .equalise
    }
  }

  func isSame(_ one: ImageOperation?, _ other: ImageOperation?) -> Bool {
    switch (one, other) {
    case (.shearX(let a)?, .shearX(let b)?), (.shearY(let a)?, .shearY(let b)?),
      (.rotate(let a)?, .rotate(let b)?), (.brightness(let a)?, .brightness(let b)?),
      (.colour(let a)?, .colour(let b)?), (.contrast(let a)?, .contrast(let b)?),
      (.sharpness(let a)?, .sharpness(let b)?), (.solarise(let a)?, .solarise(let b)?):
      // Float32 has 24 bits; thresholds are up to 255.
      abs(a - b) <= 255 * 0x1p-23
    default: one == other
    }
  }

  /// Levels have no tolerance, because all of it is Pillow's integer and float32 arithmetic. Magnitudes differ from
  /// torchvision's by its rounding to float32, which decides exact ties between levels. The levels are therefore computed
  /// with torchvision's magnitudes.
  @Test(
    "Every operation of both policies is torchvision's, to the bit",
    arguments: kinds.keys.sorted())
  func torchvision(operation: String) throws {
    let kind = try #require(Self.kinds[operation])
    var seen = 0
    for expected in fixtures.cases where expected.operation == operation {
      let image = try #require(fixtures.images.first { $0.name == expected.image })
      let policy = try #require(AugmentationPolicy(rawValue: expected.policy))
      let name = "\(policy) \(operation) \(expected.bin) \(expected.sign) of \(image.name)"
      let theirs = self.operation(kind, expected.magnitude)
      let ours = policy.operation(
        kind, side: image.side, magnitude: Double(expected.bin) / 30, sign: expected.sign, isApplied: true)
      #expect(isSame(ours, theirs), "\(name): \(String(describing: ours)), \(String(describing: theirs))")
      let augmenter = image.augmenter
      if let theirs { augmenter.apply(theirs) }
      let made = UnsafeBufferPointer(start: augmenter.levels, count: image.levels.count)
      #expect(made.elementsEqual(expected.result), "\(name)")
      seen += 1
    }
    // Four images, two policies.
    #expect(seen >= 8)
  }

  @Test("All of torchvision's operations are there, each once")
  func nothingIsMissing() {
    #expect(Set(fixtures.cases.map(\.operation)) == Set(Self.kinds.keys))
    #expect(Set(Self.kinds.values) == Set(AugmentationPolicy.Kind.allCases))
  }

  /// The numbers are those of DeVries' program for an even side: max(0, y − 8) ..< min(32, y + 8).
  @Test(
    "The part of a square inside the image becomes the mean colour",
    arguments: [(16, 12, 4), (0, 0, 6), (23, 1, 12), (5, 23, 7), (3, 3, 0), (9, 9, 1)])
  func cutOut(row: Int, column: Int, size: Int) throws {
    let image = try #require(fixtures.images.first { $0.name == "photograph" })
    let augmenter = image.augmenter
    augmenter.cutOut(size, row: row, column: column)
    for y in 0..<image.side {
      for x in 0..<image.side {
        let isCut =
          (row - size / 2..<row - size / 2 + size).contains(y)
          && (column - size / 2..<column - size / 2 + size).contains(x)
        for channel in 0..<3 {
          let place = (y * image.side + x) * 3 + channel
          // Half of 255, rounded.
          #expect(augmenter.levels[place] == (isCut ? 128 : image.levels[place]))
        }
      }
    }
  }
}
