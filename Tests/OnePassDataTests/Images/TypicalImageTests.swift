import OnePassCore
import Testing

@testable import OnePassData

@Suite("The pipeline that the first images of a stream choose")
struct TypicalImageTests {
  func images(_ sizes: [(Int, Int)], format: ImageFormat? = .jpeg, channels: Int = 3) -> [ImageHeader] {
    sizes.map {
      ImageHeader(width: $0.0, height: $0.1, channels: channels, format: format, components: channels)
    }
  }

  @Test("A thumbnail at the start does not shrink photographs")
  func oneThumbnail() throws {
    let stream = images([(20, 20)] + Array(repeating: (500, 375), count: 15))
    let pipeline = try ImagePipeline.automatic(images: stream)
    #expect(pipeline == ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250)))
    #expect(
      try pipeline.noticeOfSizes(stream, chosen: nil)
        == "Image sizes of the first 16 examples range from 20 x 20 to 500 x 375; trained at 224 pixels. "
        + "Pass --image-size for another size.")
    #expect(try pipeline.noticeOfSizes(stream, chosen: 224) == nil)
  }

  @Test("A photograph among small images does not enlarge them")
  func onePhotograph() throws {
    let stream = images([(500, 375)] + Array(repeating: (32, 32), count: 4))
    #expect(try ImagePipeline.automatic(images: stream).size == 32)
  }

  @Test(
    "Images of one kind choose what the first of them chooses, without a notice",
    arguments: [(32, 32), (48, 64), (65, 20), (500, 375), (28, 28)])
  func uniform(width: Int, height: Int) throws {
    let stream = images(Array(repeating: (width, height), count: 7))
    let pipeline = try ImagePipeline.automatic(images: stream)
    #expect(try pipeline == .automatic(typicalImage: stream[0]))
    #expect(try pipeline.noticeOfSizes(stream, chosen: nil) == nil)
  }

  @Test("Photographs of many sizes need no notice")
  func photographs() throws {
    let stream = images([(500, 375), (375, 500), (2_000, 1_500), (180, 240)])
    let pipeline = try ImagePipeline.automatic(images: stream)
    #expect(try pipeline.size == 224 && pipeline.noticeOfSizes(stream, chosen: nil) == nil)
  }

  @Test("Bare pixels are colour if a tenth of them is")
  func channels() throws {
    func choose(grey: Int, colour: Int, channels: Int? = nil) throws -> Int {
      let stream =
        images(Array(repeating: (8, 8), count: grey), format: nil, channels: 1)
        + images(Array(repeating: (8, 8), count: colour), format: nil)
      return try ImagePipeline.automatic(images: stream, channels: channels).channels
    }
    #expect(try choose(grey: 5, colour: 0) == 1 && choose(grey: 0, colour: 5) == 3)
    #expect(try choose(grey: 19, colour: 1) == 1 && choose(grey: 18, colour: 2) == 3)
    #expect(try choose(grey: 5, colour: 0, channels: 3) == 3)
    // Files are colour, as before.
    #expect(try ImagePipeline.automatic(images: images([(8, 8)], channels: 1)).channels == 3)
  }
}
