import OnePassCore

extension ImageDecoder {
  /// Calls `body` with the strips of a region; with the file's own bytes where they are the pixels.
  func decodePNM(
    _ source: UnsafeBufferPointer<UInt8>, channels: Int, region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    let file = try PNMFile(source)
    try file.checkLength(source.count)
    guard let start = source.baseAddress else { return }
    let samples: UnsafePointer<UInt8>
    let native = file.channels
    if file.isText {
      samples = try textSamples(source, file)
    } else if file.largest == 255 {
      samples = start + file.offset
    } else {
      samples = binarySamples(start + file.offset, file)
    }
    let stride = file.width * native
    let first = samples + region.columns.lowerBound * native
    if native == channels {
      return try body(
        PixelStrip(
          base: first + region.rows.lowerBound * stride, rows: region.rows, stride: stride, step: channels))
    }
    try convertRows(
      of: region, step: channels,
      { row, target in
        ColourKernels.convert(
          first + row * stride, native, into: target, channels, count: region.columns.count)
      }, body)
  }

  /// The samples of a binary file as levels.
  private func binarySamples(_ source: UnsafePointer<UInt8>, _ file: PNMFile) -> UnsafePointer<UInt8> {
    let target = pixels.reserve(file.width * file.height * file.channels)
    if file.isBitmap {
      for row in 0..<file.height {
        let (from, to) = (source + row * file.stride, target + row * file.width)
        for column in 0..<file.width {
          to[column] = (from[column &>> 3] &>> UInt8(truncatingIfNeeded: 7 &- column & 7)) & 1 == 0 ? 255 : 0
        }
      }
      return UnsafePointer(target)
    }
    let count = file.width * file.height * file.channels
    file.levels.withUnsafeBufferPointer { levels in
      let last = levels.count - 1
      if file.sampleSize == 1 {
        for index in 0..<count { target[index] = levels[min(last, Int(source[index]))] }
      } else {
        for index in 0..<count {
          let sample = Int(source[2 &* index]) &<< 8 | Int(source[2 &* index &+ 1])
          target[index] = levels[min(last, sample)]
        }
      }
    }
    return UnsafePointer(target)
  }

  /// The samples of a text file as levels.
  private func textSamples(
    _ source: UnsafeBufferPointer<UInt8>, _ file: PNMFile
  ) throws -> UnsafePointer<UInt8> {
    let count = file.width * file.height * file.channels
    let target = pixels.reserve(count)
    var text = PNMText(source, from: file.offset)
    let levels = file.levels
    for index in 0..<count {
      guard let sample = try file.isBitmap ? text.bit() : text.number() else {
        throw OnePassError.truncatedImage(.pnm, after: source.count)
      }
      guard sample < levels.count else {
        throw OnePassError.corruptImage(.pnm, reason: "value \(sample), above the maximum \(file.largest)")
      }
      target[index] = levels[sample]
    }
    return UnsafePointer(target)
  }
}

extension ColourKernels {
  /// Grey to RGB, or RGB to grey.
  static func convert(
    _ source: UnsafePointer<UInt8>, _ native: Int, into target: UnsafeMutablePointer<UInt8>, _ channels: Int,
    count: Int
  ) {
    if native == 1, channels == 3 {
      replicate(source, into: target, count: count)
    } else if native == 3, channels == 1 {
      luma(ofRGB: source, into: target, count: count)
    } else {
      target.update(from: source, count: count * channels)
    }
  }
}
