import OnePassCore
import Testing

@testable import OnePassData

@Suite("The form in which the memory keeps an image")
struct StoredFormTests {
  static let pipelines = [
    ImagePipeline(size: 24, channels: 3, geometry: .padAndCrop(padding: 4)),
    ImagePipeline(size: 40, channels: 3, geometry: .resizeAndCrop(resize: 45)),
    ImagePipeline(size: 40, channels: 1, geometry: .resizeAndCrop(resize: 45)),
  ]

  func render(_ image: EncodedImage, _ pipeline: ImagePipeline, _ view: ImagePipeline.View) throws -> [Float]
  {
    var values = [Float](repeating: .nan, count: pipeline.elementsPerImage)
    try values.withUnsafeMutableBufferPointer {
      try ImageRenderer(pipeline: pipeline).render(image, view, into: $0)
    }
    return values
  }

  @Test(
    "Every view of the pixels is that of the original, to the bit",
    arguments: ["444.jpg", "420.jpg", "cmyk.jpg", "grey.jpg", "rgb.png", "palette.png"])
  func pixelsShowTheSame(file: String) throws {
    let original = try ImageFixtures.file(file)
    for pipeline in Self.pipelines {
      let pixels = try StoredForm(.pixels, pipeline: pipeline)(original)
      let plane = CropWindow(pipeline, .centre).plane
      #expect(pixels.encoding == .pixels(width: plane, height: plane, channels: pipeline.channels))
      #expect(pixels.bytes.count == plane * plane * pipeline.channels)
      for view in [.centre] + (0..<20).map({ ImagePipeline.View.augmented(seed: 1, id: $0, visit: 1) }) {
        #expect(try render(pixels, pipeline, view) == render(original, pipeline, view), "\(file)")
      }
    }
  }

  @Test("The original is kept byte for byte")
  func originalIsKept() throws {
    let image = try ImageFixtures.file("420.jpg")
    #expect(try StoredForm(.original, pipeline: Self.pipelines[0])(image) == image)
  }

  @Test("A broken image is refused")
  func brokenImage() throws {
    let image = try ImageFixtures.file("truncated.jpg")
    #expect { try StoredForm(.pixels, pipeline: Self.pipelines[0])(image) } throws: {
      ($0 as? OnePassError)?.code == .badData
    }
  }
}
