import OnePassCore

// The caller states which example or file such an error is about.

private let remedy = "replace or remove the image"

// MARK: Files

extension OnePassError {
  static var emptyImage: OnePassError {
    OnePassError(.badData, "The image is empty (0 bytes); \(remedy).")
  }

  static func truncatedImage(_ format: ImageFormat, after bytes: Int) -> OnePassError {
    OnePassError(.badData, "The \(format.rawValue) is truncated after \(bytes) bytes; \(remedy).")
  }

  static func truncatedImage(
    _ format: ImageFormat, after bytes: Int, width: Int, height: Int
  ) -> OnePassError {
    OnePassError(
      .badData,
      "The \(format.rawValue) is truncated: \(bytes) bytes cannot hold \(width) x \(height) pixels; \(remedy)."
    )
  }

  static func truncatedJPEGHeader(after bytes: Int) -> OnePassError {
    OnePassError(.badData, "The JPEG is truncated inside its header after \(bytes) bytes; \(remedy).")
  }

  static var jpegWithoutFrame: OnePassError { corruptImage(.jpeg, reason: "no frame header") }

  static var incompletePNGHeader: OnePassError { corruptImage(.png, reason: "incomplete header") }

  /// - Parameter reason: The decoding library's message.
  static func corruptImage(_ format: ImageFormat, reason: String) -> OnePassError {
    OnePassError(.badData, "The \(format.rawValue) is corrupt (\(reason)); \(remedy).")
  }

  static func unsupportedImageFormat(_ format: ImageFormat) -> OnePassError {
    OnePassError(.badData, "\(format.rawValue) images are not supported; convert the image to JPEG or PNG.")
  }

  /// - Parameter kind: The property of the file that is not supported.
  static func unsupportedImage(_ format: ImageFormat, _ kind: String) -> OnePassError {
    OnePassError(
      .badData,
      "The \(format.rawValue) is not supported (\(kind)); convert the image to 8-bit grey or RGB.")
  }

  static func unsupportedSamples(_ format: ImageFormat, bits: Int, samples: Int) -> OnePassError {
    unsupportedImage(format, "\(samples) samples of \(bits) bits")
  }

  /// - Parameter start: The first bytes of the file.
  static func unknownImageFormat(startingWith start: [UInt8]) -> OnePassError {
    let bytes = start.map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return digits.count == 1 ? "0" + digits : digits
    }
    return OnePassError(
      .badData,
      "Unknown image format (first bytes \(bytes.joined(separator: " "))); use JPEG, PNG, WebP, TIFF, BMP or PNM files."
    )
  }
}

// MARK: Sizes

extension OnePassError {
  static func rawPixelsOfImpossibleChannels(_ channels: Int) -> OnePassError {
    OnePassError(.badData, "The raw pixels have \(channels) channels; use 1 (grey) or 3 (RGB).")
  }

  static func rawPixelsOfImpossibleSize(
    _ bytes: Int, width: Int, height: Int, channels: Int
  ) -> OnePassError {
    OnePassError(
      .badData,
      "The raw pixels have \(bytes) bytes, but \(width) x \(height) x \(channels) need \(width * height * channels); "
        + "correct the data or its shape.")
  }

  static func imageWithoutPixels(width: Int, height: Int) -> OnePassError {
    OnePassError(.badData, "The image has \(width) x \(height) pixels, so it is empty; remove it.")
  }

  static func imageExceedsLimits(width: Int, height: Int, _ limits: ImageLimits) -> OnePassError {
    OnePassError(
      .badData,
      "The image has \(width) x \(height) pixels, but the maximum is \(limits.side) a side and \(limits.pixels) in total; "
        + "scale it down or remove it.")
  }
}

extension OnePassError {
  static func imageCompressesTooMuch(width: Int, height: Int, bytes: Int) -> OnePassError {
    OnePassError(
      .badData,
      "The image has \(width) x \(height) pixels in \(bytes) bytes, but images of more than "
        + "\(ImageLimits.pixelsOfAnyFile) pixels need a byte for every \(ImageLimits.mostPixelsPerByte); "
        + "scale it down or remove it.")
  }

  /// - Parameters:
  ///   - bytes: The memory that decoding takes.
  ///   - limit: The most for one image.
  static func imageNeedsMuchMemory(width: Int, height: Int, bytes: Int, limit: Int) -> OnePassError {
    OnePassError(
      .badData,
      "The image of \(width) x \(height) pixels takes \(ByteCount(bytes)) to decode, but --decode-memory leaves "
        + "\(ByteCount(limit)) for an image; raise --decode-memory, or scale the image down or remove it.")
  }
}

// MARK: Encoding and the libraries

extension OnePassError {
  static func cannotEncodeAsPNG(bytes: Int, width: Int, height: Int, channels: Int) -> OnePassError {
    OnePassError(
      .badData,
      "Cannot encode \(width) x \(height) x \(channels) pixels of \(bytes) bytes as PNG; use 8-bit grey or RGB images."
    )
  }

  /// - Parameter reason: libspng's message.
  static func pngEncodingFailed(reason: String) -> OnePassError {
    OnePassError(.engine, "libspng could not encode an image: \(reason).")
  }

  static var jpegEncodingFailed: OnePassError {
    OnePassError(.engine, "libjpeg-turbo could not encode an image; free some memory and try again.")
  }

  /// A library that could not allocate its state.
  static func cannotStart(_ library: String) -> OnePassError {
    OnePassError(.engine, "\(library) could not be started; free some memory and try again.")
  }

  static var decodePoolShutDown: OnePassError {
    OnePassError(
      .engine,
      "The decode pool was shut down before this batch was decoded; keep the pool until the last wait().")
  }
}
