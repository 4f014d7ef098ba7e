import OnePassCore
import Testing

@testable import OnePassData

@Suite("Error messages about images") struct ImageErrorMessageTests {
  typealias Case = (error: OnePassError, code: OnePassError.Code, text: String)

  static let damaged: [Case] = [
    (.emptyImage, .badData, "The image is empty (0 bytes); replace or remove the image."),
    (
      .truncatedImage(.jpeg, after: 1_234), .badData,
      "The JPEG is truncated after 1234 bytes; replace or remove the image."
    ),
    (
      .truncatedImage(.png, after: 60, width: 800, height: 600), .badData,
      "The PNG is truncated: 60 bytes cannot hold 800 x 600 pixels; replace or remove the image."
    ),
    (
      .truncatedJPEGHeader(after: 20), .badData,
      "The JPEG is truncated inside its header after 20 bytes; replace or remove the image."
    ),
    (
      .imageCompressesTooMuch(width: 10_000, height: 9_900, bytes: 12_345), .badData,
      "The image has 10000 x 9900 pixels in 12345 bytes, but images of more than 25000000 pixels need a byte for every 512; "
        + "scale it down or remove it."
    ),
    (
      .imageNeedsMuchMemory(width: 9_000, height: 8_000, bytes: 216_288_000, limit: 134_217_728), .badData,
      "The image of 9000 x 8000 pixels takes 216 MB to decode, but --decode-memory leaves 134 MB for an image; "
        + "raise --decode-memory, or scale the image down or remove it."
    ),
    (.jpegWithoutFrame, .badData, "The JPEG is corrupt (no frame header); replace or remove the image."),
    (.incompletePNGHeader, .badData, "The PNG is corrupt (incomplete header); replace or remove the image."),
    (
      .corruptImage(.jpeg, reason: "Bogus marker length"), .badData,
      "The JPEG is corrupt (Bogus marker length); replace or remove the image."
    ),
    (
      .unsupportedImageFormat(.gif), .badData,
      "GIF images are not supported; convert the image to JPEG or PNG."
    ),
    (
      .unknownImageFormat(startingWith: [0x3C, 0x68, 0x74, 0x0D]), .badData,
      "Unknown image format (first bytes 3C 68 74 0D); use JPEG, PNG, WebP, TIFF, BMP or PNM files."
    ),
    (
      .unsupportedSamples(.tiff, bits: 32, samples: 1), .badData,
      "The TIFF is not supported (1 samples of 32 bits); convert the image to 8-bit grey or RGB."
    ),
  ]

  static let sizes: [Case] = [
    (
      .rawPixelsOfImpossibleChannels(5), .badData,
      "The raw pixels have 5 channels; use 1 (grey) or 3 (RGB)."
    ),
    (
      .rawPixelsOfImpossibleSize(5, width: 3, height: 2, channels: 1), .badData,
      "The raw pixels have 5 bytes, but 3 x 2 x 1 need 6; correct the data or its shape."
    ),
    (
      .imageWithoutPixels(width: 10, height: 0), .badData,
      "The image has 10 x 0 pixels, so it is empty; remove it."
    ),
    (
      .imageExceedsLimits(width: 60_000, height: 2, ImageLimits(pixels: 1_000, side: 500)), .badData,
      "The image has 60000 x 2 pixels, but the maximum is 500 a side and 1000 in total; scale it down or remove it."
    ),
  ]

  static let libraries: [Case] = [
    (
      .cannotEncodeAsPNG(bytes: 5, width: 3, height: 2, channels: 2), .badData,
      "Cannot encode 3 x 2 x 2 pixels of 5 bytes as PNG; use 8-bit grey or RGB images."
    ),
    (
      .pngEncodingFailed(reason: "out of memory"), .engine,
      "libspng could not encode an image: out of memory."
    ),
    (
      .jpegEncodingFailed, .engine,
      "libjpeg-turbo could not encode an image; free some memory and try again."
    ),
    (.cannotStart("libspng"), .engine, "libspng could not be started; free some memory and try again."),
    (
      .decodePoolShutDown, .engine,
      "The decode pool was shut down before this batch was decoded; keep the pool until the last wait()."
    ),
  ]

  @Test(
    "An error about an image states the format, the size and the remedy",
    arguments: damaged + sizes + libraries)
  func message(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }
}
