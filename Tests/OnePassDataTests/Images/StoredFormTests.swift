import OnePassCore
import Testing

@testable import OnePassData

@Suite("The stored format of an image in the memory")
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

  @Test("A resized JPEG is small and nearly the same", arguments: ["444.jpg", "cmyk.jpg", "grey.jpg"])
  func resizedShowsNearlyTheSame(file: String) throws {
    let original = try ImageFixtures.file(file)
    for pipeline in Self.pipelines {
      let resized = try StoredForm(.resized, pipeline: pipeline)(original)
      let header = try ImageHeader.read(resized)
      let plane = CropWindow(pipeline, .centre).plane
      #expect(header.format == .jpeg && header.width == plane && header.height == plane)
      #expect(header.channels == pipeline.channels)
      for view in [.centre] + (0..<5).map({ ImagePipeline.View.augmented(seed: 1, id: $0, visit: 1) }) {
        let pairs = zip(try render(resized, pipeline, view), try render(original, pipeline, view))
        let squares = pairs.map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
        // 30 dB is a root mean square error of 8 levels. A level is about 1 / 57 after normalisation.
        let rms = (squares / Float(pipeline.elementsPerImage)).squareRoot()
        #expect(rms > 0 && rms < 8 / 57, "\(file), \(view)")
      }
    }
  }

  @Test("A JPEG that has the size already is not encoded again")
  func resizedKeepsWhatFits() throws {
    let pipeline = Self.pipelines[0]
    let resized = try StoredForm(.resized, pipeline: pipeline)(ImageFixtures.file("444.jpg"))
    // The comment would be lost if the image were encoded again.
    let marked = EncodedImage(bytes: resized.bytes[..<2] + [0xFF, 0xFE, 0, 4, 1, 2] + resized.bytes[2...])
    #expect(try StoredForm(.resized, pipeline: pipeline)(marked) == marked)
    let png = try ImageFixtures.file("rgb.png")
    #expect(try ImageHeader.read(StoredForm(.resized, pipeline: pipeline)(png)).format == .jpeg)
  }

  @Test("The original is kept byte for byte")
  func originalIsKept() throws {
    let image = try ImageFixtures.file("420.jpg")
    #expect(try StoredForm(.original, pipeline: Self.pipelines[0])(image) == image)
  }

  @Test("A broken image is refused")
  func brokenImage() throws {
    let image = try ImageFixtures.file("truncated.jpg")
    for encoding in [MemoryEncoding.pixels, .resized] {
      #expect { try StoredForm(encoding, pipeline: Self.pipelines[0])(image) } throws: {
        ($0 as? OnePassError)?.code == .badData
      }
    }
  }
}
