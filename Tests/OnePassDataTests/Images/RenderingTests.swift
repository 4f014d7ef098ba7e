import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Resize, crop, pad, flip and normalise, compared with torchvision")
struct RenderingTests {
  struct Resized: Decodable {
    let width: Int
    let height: Int
    let channels: Int
    let plane: Int
    let resized: Data
  }

  struct Pipeline: Decodable {
    let kind: String
    let width: Int
    let height: Int
    let size: Int
    let resize: Int?
    let top: Int?
    let left: Int?
    let flip: Bool?
    let values: Data
  }

  func render(_ image: EncodedImage, _ pipeline: ImagePipeline, _ window: CropWindow) throws -> [Float] {
    // Filled with arbitrary values first, to detect elements that are not written.
    var values = [Float](repeating: .nan, count: pipeline.elementsPerImage)
    try values.withUnsafeMutableBufferPointer { values in
      try ImageRenderer(pipeline: pipeline).render(image, window, into: .float32(values.baseAddress!))
    }
    return values
  }

  func levels(_ image: EncodedImage, _ pipeline: ImagePipeline, _ window: CropWindow) throws -> [UInt8] {
    var levels = [UInt8](repeating: 77, count: pipeline.elementsPerImage)
    try levels.withUnsafeMutableBufferPointer { levels in
      try ImageRenderer(pipeline: pipeline).render(image, window, into: .uint8(levels.baseAddress!))
    }
    return levels
  }

  /// A renderer caches the weights of the last sizes. Many photographs share one side, and few share both.
  @Test("A view does not depend on the sizes of earlier images", arguments: [3, 1])
  func rememberedSizes(channels: Int) throws {
    let pipeline = ImagePipeline(size: 20, channels: channels, geometry: .resizeAndCrop(resize: 24))
    let renderer = ImageRenderer(pipeline: pipeline)
    var chance = SeededGenerator(seed: 1, .test)
    for _ in 0..<200 {
      let (common, rare) = (60, 30 + chance.next(below: 60))
      let (width, height) = chance.nextBool() ? (common, rare) : (rare, common)
      let image = ImageFixtures.pattern(width: width, height: height, channels: channels)
      var values = [Float](repeating: .nan, count: pipeline.elementsPerImage)
      try values.withUnsafeMutableBufferPointer { try renderer.render(image, .centre, into: $0) }
      #expect(try values == render(image, pipeline, CropWindow(pipeline, .centre)), "\(width) x \(height)")
    }
  }

  /// Sums in float32 and in Pillow's 22-bit fixed point differ by less than 1e-3 of a level. A rounded level then differs
  /// by at most 1, and only if the sum is that near to a half. Exact halves are common for simple ratios of sizes, which
  /// explains the 1 %.
  @Test("The resized image equals Pillow's up to rounding")
  func resized() throws {
    let cases: [Resized] = try ImageFixtures.json("resized.json")
    var differing = 0
    var total = 0
    for test in cases {
      let image = ImageFixtures.pattern(width: test.width, height: test.height, channels: test.channels)
      let pipeline = ImagePipeline(
        size: test.plane, channels: test.channels, geometry: .resizeAndCrop(resize: test.plane))
      let ours = try levels(image, pipeline, CropWindow(pipeline, .centre))
      for (level, reference) in zip(ours, test.resized) {
        let difference = abs(Int(level) - Int(reference))
        #expect(difference <= 1, "\(test.width) x \(test.height)")
        differing += difference
      }
      #expect(ours.count == test.resized.count)
      total += ours.count
    }
    #expect(differing * 100 <= total, "\(differing) of \(total) levels differ from Pillow's")
  }

  /// One level is 1 / (255 · 0.224) after normalisation. The 2 % are explained above. In all cases here Pillow 13 makes
  /// the horizontal pass first.
  @Test("Whole pipelines equal torchvision's Compose")
  func pipelines() throws {
    let cases: [Pipeline] = try ImageFixtures.json("pipelines.json")
    #expect(cases.count == 12)
    for test in cases {
      let image = ImageFixtures.pattern(width: test.width, height: test.height, channels: 3)
      let geometry: ImagePipeline.Geometry =
        test.resize.map { .resizeAndCrop(resize: $0) } ?? .padAndCrop(padding: 4)
      let pipeline = ImagePipeline(size: test.size, channels: 3, geometry: geometry)
      var window = CropWindow(pipeline, .centre)
      if let top = test.top, let left = test.left, let flip = test.flip {
        let padding = test.resize == nil ? 4 : 0
        window = CropWindow(
          plane: window.plane, size: test.size, left: left - padding, top: top - padding, isFlipped: flip)
      }
      let ours = try render(image, pipeline, window)
      let reference = test.values.floats
      #expect(ours.count == reference.count)
      let differences = zip(ours, reference).map { abs($0 - $1) }
      let name: Comment = "\(test.kind) \(test.width) x \(test.height) \(test.resize ?? 0)"
      #expect(differences.allSatisfy { $0 < 1.01 / (255 * 0.224) }, name)
      #expect(differences.filter { $0 > 1e-5 }.count * 50 <= differences.count, name)
    }
  }

  /// Only the visible rows and columns are computed, which must not change them.
  @Test("A random view equals the padded and flipped crop of the whole resized image", arguments: [1, 3])
  func viewsAreCuts(channels: Int) throws {
    let geometries: [(ImagePipeline.Geometry, Int, Int)] = [
      (.resizeAndCrop(resize: 19), 19, 0), (.padAndCrop(padding: 3), 14, 3),
      (.padAndCrop(padding: 20), 14, 20),
    ]
    for (width, height) in [(14, 14), (31, 23), (9, 40), (19, 5)] {
      let image = ImageFixtures.pattern(width: width, height: height, channels: channels)
      for (geometry, plane, padding) in geometries {
        let whole = try levels(
          image,
          ImagePipeline(size: plane, channels: channels, geometry: .resizeAndCrop(resize: plane)),
          CropWindow(plane: plane, size: plane, left: 0, top: 0, isFlipped: false))
        let pipeline = ImagePipeline(size: 14, channels: channels, geometry: geometry)
        for visit in 0..<40 {
          let window = CropWindow(pipeline, .augmented(seed: 5, id: width, visit: visit))
          #expect(window.top >= -padding && window.top <= plane + padding - 14)
          let ours = try levels(image, pipeline, window)
          var expected: [UInt8] = []
          for y in 0..<14 {
            for x in 0..<14 {
              let column = window.left + (window.isFlipped ? 13 - x : x)
              let row = window.top + y
              let isInside = (0..<plane).contains(column) && (0..<plane).contains(row)
              for c in 0..<channels {
                expected.append(isInside ? whole[(row * plane + column) * channels + c] : 0)
              }
            }
          }
          #expect(ours == expected, "\(width) x \(height), \(geometry), visit \(visit)")
          let normalised = expected.enumerated().map { place, level in
            let (mean, deviation) = (
              pipeline.normalisation.mean[place % channels],
              pipeline.normalisation.deviation[place % channels]
            )
            return (Float(level) / 255 - mean) / deviation
          }
          // The computations differ by at most two roundings of values below 3.
          #expect(zip(try render(image, pipeline, window), normalised).allSatisfy { abs($0 - $1) < 2e-6 })
        }
      }
    }
  }

  @Test("The weights of every output sum to 1, are inside the image, and are symmetric")
  func weights() {
    let axis = ResizeAxis()
    for input in [1, 2, 3, 7, 24, 25, 97, 375, 500, 4001] {
      for output in [1, 2, 24, 250] {
        axis.prepare(input: input, output: output)
        for index in 0..<output {
          let weights = (0..<axis.taps).map { Double(axis.weights[index * axis.taps + $0]) }
          // A float32 weight has a relative error of at most 2^-25.
          #expect(abs(weights.reduce(0, +) - 1) < 1e-6, "\(input) to \(output), at \(index)")
          let start = Int(axis.starts[index])
          #expect(start >= 0 && start + axis.taps <= input)
          let centre = zip(start..., weights).map { (Double($0) + 0.5) * $1 }.reduce(0, +)
          let mirror = output - 1 - index
          let mirrored = zip(Int(axis.starts[mirror])..., 0..<axis.taps).map {
            (Double($0) + 0.5) * Double(axis.weights[mirror * axis.taps + $1])
          }.reduce(0, +)
          #expect(abs(centre + mirrored - Double(input)) < 1e-5 * Double(input))
        }
      }
    }
  }
}
