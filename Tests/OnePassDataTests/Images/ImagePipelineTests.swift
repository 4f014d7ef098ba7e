import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Views and the choice of a pipeline")
struct ImagePipelineTests {
  /// The value that χ² with this many degrees of freedom exceeds once in two million times (Wilson and Hilferty).
  func chiSquaredLimit(_ degrees: Int) -> Double {
    let k = 2 / (9 * Double(degrees))
    return Double(degrees) * pow(1 - k + 4.9 * k.squareRoot(), 3)
  }

  func chiSquared(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    return counts.reduce(0) { $0 + pow(Double($1) - expected, 2) / expected }
  }

  @Test("Crop offsets are uniform over all positions", arguments: [0, 1, 2])
  func offsetsAreUniform(varied: Int) {
    let pipeline = ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250))
    var tops = [Int](repeating: 0, count: 27)
    var lefts = tops
    for n in 0..<20_000 {
      // Over seeds, over examples, and over visits alike.
      let view = ImagePipeline.View.augmented(
        seed: varied == 0 ? UInt64(n) : 3, id: varied == 1 ? n : 8, visit: varied == 2 ? n : 1)
      let window = CropWindow(pipeline, view)
      tops[window.top] += 1
      lefts[window.left] += 1
    }
    #expect(chiSquared(tops) < chiSquaredLimit(26), "\(tops)")
    #expect(chiSquared(lefts) < chiSquaredLimit(26), "\(lefts)")
  }

  @Test("Top, left and flip are independent, and half of the views are flipped")
  func choicesAreIndependent() {
    let pipeline = ImagePipeline(size: 8, channels: 3, geometry: .padAndCrop(padding: 1))
    var counts = [Int](repeating: 0, count: 18)
    for id in 0..<36_000 {
      let window = CropWindow(pipeline, .augmented(seed: 9, id: id, visit: 0))
      counts[(window.top + 1) * 6 + (window.left + 1) * 2 + (window.isFlipped ? 1 : 0)] += 1
    }
    #expect(chiSquared(counts) < chiSquaredLimit(17), "\(counts)")
    // Five standard deviations of a binomial count: sqrt(36000 / 4) = 95.
    let flips = stride(from: 1, to: 18, by: 2).reduce(0) { $0 + counts[$1] }
    #expect(abs(flips - 18_000) < 475)
  }

  @Test("A view depends on the seed, the example and the visit, and on nothing else")
  func viewsAreFunctions() {
    let pipeline = ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250))
    func windows(_ seed: UInt64, _ id: Int, _ visit: Int) -> [CropWindow] {
      // Ten windows coincide by chance once in (2 · 27²)¹⁰.
      (0..<10).map { CropWindow(pipeline, .augmented(seed: seed, id: id + 100 * $0, visit: visit)) }
    }
    #expect(windows(1, 2, 3) == windows(1, 2, 3))
    #expect(windows(1, 2, 3) != windows(4, 2, 3))
    #expect(windows(1, 2, 3) != windows(1, 4, 3))
    #expect(windows(1, 2, 3) != windows(1, 2, 4))
  }

  @Test(
    "The centre is torchvision's CenterCrop, half a pixel rounded to even",
    arguments: [(250, 224, 13), (30, 24, 3), (29, 24, 2), (31, 24, 4), (24, 24, 0)])
  func centre(resize: Int, size: Int, offset: Int) {
    let pipeline = ImagePipeline(size: size, channels: 3, geometry: .resizeAndCrop(resize: resize))
    let window = CropWindow(pipeline, .centre)
    #expect(window.top == offset && window.left == offset && !window.isFlipped)
  }

  @Test("The centre of a small image is the image itself")
  func centreOfSmall() {
    let window = CropWindow(ImagePipeline(size: 32, channels: 3, geometry: .padAndCrop(padding: 4)), .centre)
    #expect(window == CropWindow(plane: 32, size: 32, left: 0, top: 0, isFlipped: false))
  }

  @Test("The first image and the requested size determine the geometry")
  func automatic() throws {
    func choose(_ width: Int, _ height: Int, _ size: Int? = nil) throws -> ImagePipeline {
      let header = ImageHeader(width: width, height: height, channels: 3, format: .jpeg, components: 3)
      return try .automatic(typicalImage: header, size: size)
    }
    let pad = ImagePipeline.Geometry.padAndCrop(padding: 4)
    #expect(try choose(32, 32) == ImagePipeline(size: 32, channels: 3, geometry: pad))
    #expect(try choose(48, 64) == ImagePipeline(size: 64, channels: 3, geometry: pad))
    #expect(
      try choose(65, 20) == ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250)))
    #expect(
      try choose(500, 375) == ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250)))
    #expect(try choose(500, 375, 64) == ImagePipeline(size: 64, channels: 3, geometry: pad))
    #expect(
      try choose(32, 32, 112) == ImagePipeline(size: 112, channels: 3, geometry: .resizeAndCrop(resize: 125)))
    #expect(try choose(32, 32, 65).geometry == .resizeAndCrop(resize: 73))
    for size in [0, -3, 5000] {
      let error = #expect(throws: OnePassError.self) { try choose(32, 32, size) }
      #expect(error?.code == .usage)
    }
  }

  @Test("Raw grey pixels stay grey, and a grey file does not make the stream grey")
  func automaticChannels() throws {
    let bare = try ImageHeader.read(ImageFixtures.pattern(width: 28, height: 28, channels: 1))
    let pipeline = try ImagePipeline.automatic(typicalImage: bare)
    #expect(
      pipeline
        == ImagePipeline(size: 28, channels: 1, geometry: .padAndCrop(padding: 4), normalisation: .grey))
    let file = try ImageHeader.read(ImageFixtures.file("grey.jpg"))
    #expect(try ImagePipeline.automatic(typicalImage: file).channels == 3)
    #expect(try ImagePipeline.automatic(typicalImage: file).normalisation == .imageNet)
  }
}
