import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("The same crop with fewer pixels, against Pillow")
struct SmallerSideTests {
  struct Case: Decodable {
    let kind: String
    let width: Int
    let height: Int
    let channels: Int
    let flip: Bool
    let plane: Int
    let size: Int
    let side: Int
    let left: Int
    let top: Int
    let levels: Data

    var window: CropWindow {
      CropWindow(plane: plane, size: size, side: side, left: left, top: top, isFlipped: flip)
    }
    var pipeline: ImagePipeline {
      ImagePipeline(
        size: size, channels: channels,
        geometry: kind == "resize" ? .resizeAndCrop(resize: plane) : .padAndCrop(padding: 4))
    }
  }

  /// As `RenderingTests.resized`: a level may be rounded the other way where a sum lies near to a half.
  @Test("Levels are Pillow's to within rounding: straight from the image, and from a padded crop")
  func levels() throws {
    let cases: [Case] = try ImageFixtures.json("sides.json")
    #expect(cases.count == 14)
    var (differing, total) = (0, 0)
    for test in cases {
      let image = ImageFixtures.pattern(width: test.width, height: test.height, channels: test.channels)
      var levels = [UInt8](repeating: 77, count: test.side * test.side * test.channels)
      try levels.withUnsafeMutableBufferPointer { levels in
        try ImageRenderer(pipeline: test.pipeline)
          .render(image, test.window, into: .uint8(levels.baseAddress!))
      }
      let differences = zip(levels, test.levels).map { abs(Int($0) - Int($1)) }
      let name: Comment = "\(test.kind) \(test.width) x \(test.height), \(test.side) of \(test.size)"
      #expect(levels.count == test.levels.count)
      #expect(differences.allSatisfy { $0 <= 1 }, name)
      differing += differences.reduce(0, +)
      total += differences.count
    }
    #expect(differing * 100 <= total, "\(differing) of \(total) levels differ from Pillow's")
  }

  static let pipelines = [
    ImagePipeline(size: 32, channels: 3, geometry: .padAndCrop(padding: 4)),
    ImagePipeline(size: 24, channels: 1, geometry: .resizeAndCrop(resize: 27)),
  ]

  func rendered(
    _ image: EncodedImage, _ view: ImagePipeline.View, side: Int?, with renderer: ImageRenderer
  ) throws -> [Float] {
    let side = side ?? renderer.pipeline.size
    var values = [Float](repeating: .nan, count: side * side * renderer.pipeline.channels)
    try values.withUnsafeMutableBufferPointer { try renderer.render(image, view, side: side, into: $0) }
    return values
  }

  @Test("Crops and flips are the same at every side", arguments: pipelines)
  func sameChoices(pipeline: ImagePipeline) {
    for visit in 0..<50 {
      let view = ImagePipeline.View.augmented(seed: 3, id: 7, visit: visit)
      let (whole, small) = (CropWindow(pipeline, view), CropWindow(pipeline, view, side: 8))
      #expect((whole.left, whole.top) == (small.left, small.top) && whole.isFlipped == small.isFlipped)
      #expect(whole.size == small.size && small.side == 8)
    }
  }

  @Test("A renderer makes the same image whatever sides it made before", arguments: pipelines)
  func rememberedSides(pipeline: ImagePipeline) throws {
    let augmentation = Augmentation(try AugmentationChoice("trivial,cut-out"), growth: 0)
    let renderer = ImageRenderer(pipeline: pipeline, augmentation: augmentation)
    let image = ImageFixtures.pattern(width: 37, height: 29, channels: pipeline.channels)
    for visit in 0..<30 {
      let side = [8, 20, 12, nil, 16][visit % 5]
      let view = ImagePipeline.View.augmented(seed: 1, id: 2, visit: visit)
      let fresh = ImageRenderer(pipeline: pipeline, augmentation: augmentation)
      let values = try rendered(image, view, side: side, with: renderer)
      #expect(try values == rendered(image, view, side: side, with: fresh))
      #expect(values.allSatisfy { $0.isFinite })
      #expect(try side != nil || values == rendered(image, view, side: pipeline.size, with: fresh))
    }
  }

  /// What Pillow's shift of half the pixels does to an image of half the side.
  @Test("What augmentation counts in pixels is in proportion to the side")
  func proportions() throws {
    for policy in AugmentationPolicy.allCases {
      func shift(_ side: Int) -> ImageOperation? {
        policy.operation(.translateX, side: side, of: 64, magnitude: 0.5, sign: 1, isApplied: true)
      }
      #expect(shift(64) == .translateX(policy == .trivial ? 16 : 14))
      #expect(shift(32) == .translateX(policy == .trivial ? 8 : 7))
    }

    // Squares that are cut out of white images lie where they lay, half as wide.
    let pipeline = ImagePipeline(size: 32, channels: 1, geometry: .resizeAndCrop(resize: 32))
    let augmentation = Augmentation(try AugmentationChoice("cut-out"), growth: 0)
    let renderer = ImageRenderer(pipeline: pipeline, augmentation: augmentation)
    let white = EncodedImage(
      bytes: Array(repeating: 255, count: 32 * 32), encoding: .pixels(width: 32, height: 32, channels: 1))
    for visit in 0..<40 {
      func cut(_ side: Int) throws -> (rows: [Int], columns: [Int]) {
        let values = try rendered(
          white, .augmented(seed: 5, id: 1, visit: visit), side: side, with: renderer)
        let places = values.indices.filter { values[$0] != values.max() }
        let (rows, columns) = (Set(places.map { $0 / side }).sorted(), Set(places.map { $0 % side }).sorted())
        return (
          [rows.first, rows.last].compactMap(\.self), [columns.first, columns.last].compactMap(\.self)
        )
      }
      let (whole, half) = (try cut(32), try cut(16))
      for (a, b) in [(whole.rows, half.rows), (whole.columns, half.columns)] where !a.isEmpty && !b.isEmpty {
        #expect(abs(a[0] - 2 * b[0]) <= 1 && abs(a[1] + 1 - 2 * (b[1] + 1)) <= 1, "\(a), \(b)")
      }
      #expect(whole.rows.isEmpty == half.rows.isEmpty || whole.rows == [0, 0])
    }
  }

  @Test("A pool makes batches of any side, and moves images up where others are broken", arguments: [1, 3])
  func pool(threads: Int) throws {
    let pipeline = ImagePipeline(size: 24, channels: 3, geometry: .resizeAndCrop(resize: 30))
    let renderer = ImageRenderer(pipeline: pipeline)
    let pool = DecodePool(pipeline: pipeline, threads: threads)
    defer { pool.shutdown() }
    let (good, broken) = (try ImageFixtures.file("420.jpg"), try ImageFixtures.file("truncated.jpg"))
    let examples = (0..<20).map { Example(id: $0, label: 0, image: $0 % 4 == 1 ? broken : good) }
    let views = examples.map { ImagePipeline.View.augmented(seed: 4, id: $0.id, visit: 2) }
    let pending = [8, 24, 16].map { (side: $0, batch: pool.submit(examples, views: views, side: $0)) }
    for (side, batch) in pending {
      let batch = try batch.wait()
      #expect(batch.shape == [15, side, side, 3] && batch.skipped.count == 5)
      let expected = try zip(examples, views).filter { $0.0.id % 4 != 1 }.flatMap {
        try rendered($0.image, $1, side: side, with: renderer)
      }
      batch.withPixels { #expect($0.elementsEqual(expected)) }
    }
    #expect(try pool.submit([], views: [], side: 8).wait().shape == [0, 8, 8, 3])
  }
}
