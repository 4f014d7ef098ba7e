import OnePassCore

extension ImageDecoder {
  /// Calls `body` with the strips of a region.
  func decodeBMP(
    _ source: UnsafeBufferPointer<UInt8>, channels: Int, isPadded: Bool, region: PixelRegion,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    let file = try BMPFile(source)
    try file.checkLength(source.count)
    guard let start = source.baseAddress else { return }
    let step = channels == 3 && isPadded ? 4 : channels
    let colours = file.palette.isEmpty ? [] : BMPColours.table(file.palette, step: step)
    switch file.packing {
    case .runs(let isHalf):
      let indices = pixels.reserve(file.width * file.height)
      try BMPRuns(source, file, isHalf: isHalf).decode(into: indices)
      try convertRows(
        of: region, step: step,
        { row, target in
          BMPColours.look(
            up: indices + row * file.width, bits: 8, from: region.columns, in: colours, step: step,
            into: target)
        }, body)
    case .indices(let bits):
      try convertRows(
        of: region, step: step,
        { row, target in
          BMPColours.look(
            up: start + file.place(ofRow: row), bits: bits, from: region.columns, in: colours, step: step,
            into: target)
        }, body)
    case .bytes(let size):
      try convertRows(
        of: region, step: step,
        { row, target in
          let first = start + file.place(ofRow: row) + region.columns.lowerBound * size
          BMPColours.swap(first, size: size, count: region.columns.count, step: step, into: target)
        }, body)
    case .masks(let size, let red, let green, let blue):
      let masks = [red, green, blue].map(BMPMask.init)
      try convertRows(
        of: region, step: step,
        { row, target in
          let first = start + file.place(ofRow: row) + region.columns.lowerBound * size
          BMPColours.unpack(first, size: size, masks, count: region.columns.count, step: step, into: target)
        }, body)
    }
  }

  /// Fills strips of so few rows that they stay in the caches, and calls `body` with each.
  /// - Parameter convert: writes the region's columns of a row, each pixel in `step` bytes.
  func convertRows(
    of region: PixelRegion, step: Int, _ convert: (Int, UnsafeMutablePointer<UInt8>) -> Void,
    _ body: (PixelStrip) throws -> Void
  ) throws {
    let most = 16
    let stride = region.columns.count * step
    // Pixels of four bytes may be written where three would do.
    let target = rows.reserve(stride * most + 4)
    var first = region.rows.lowerBound
    while first < region.rows.upperBound {
      let some = first..<min(first + most, region.rows.upperBound)
      for row in some { convert(row, target + (row - first) * stride) }
      try body(PixelStrip(base: target, rows: some, stride: stride, step: step))
      first = some.upperBound
    }
  }
}

/// One colour's bits in a pixel.
struct BMPMask {
  let shift: UInt32
  /// The largest value.
  let most: UInt32

  init(_ mask: UInt32) {
    shift = UInt32(mask.trailingZeroBitCount)
    most = mask >> shift
  }

  /// The colour as a level, cut to whole numbers as Pillow cuts it.
  @inline(__always) func level(_ pixel: UInt32) -> UInt8 {
    let value = pixel &>> shift & most
    return most == 255
      ? UInt8(truncatingIfNeeded: value) : UInt8(truncatingIfNeeded: UInt64(value) &* 255 / UInt64(most))
  }
}

/// The inner loops over the rows of a bitmap.
enum BMPColours {
  /// The colour of each index as the pixel that it becomes: RGB and a zero, or grey.
  static func table(_ palette: [UInt8], step: Int) -> [UInt32] {
    (0..<256).map { index in
      var colour = Array(palette[4 * index..<4 * index + 3])
      if step == 1 {
        colour.withUnsafeMutableBufferPointer {
          guard let start = $0.baseAddress else { return }
          ColourKernels.luma(ofRGB: start, into: start, count: 1)
        }
        return UInt32(colour[0])
      }
      return UInt32(colour[0]) | UInt32(colour[1]) << 8 | UInt32(colour[2]) << 16
    }
  }

  static func look(
    up source: UnsafePointer<UInt8>, bits: Int, from columns: Range<Int>, in table: [UInt32], step: Int,
    into target: UnsafeMutablePointer<UInt8>
  ) {
    let (first, count) = (columns.lowerBound, columns.count)
    guard bits < 8 else {
      return table.withUnsafeBufferPointer { table in
        guard let table = table.baseAddress else { return }
        let source = source + first
        // With the step known to the compiler.
        switch step {
        case 1: for index in 0..<count { put(table[Int(source[index])], at: target + index, step: 1) }
        case 3: for index in 0..<count { put(table[Int(source[index])], at: target + 3 &* index, step: 3) }
        default: for index in 0..<count { put(table[Int(source[index])], at: target + 4 &* index, step: 4) }
        }
      }
    }
    let perByte = 8 / bits
    let mask = UInt8(truncatingIfNeeded: 1 << bits - 1)
    table.withUnsafeBufferPointer { table in
      for index in 0..<count {
        let column = first &+ index
        let shift = UInt8(truncatingIfNeeded: 8 &- bits &- column % perByte &* bits)
        let colour = table[Int(source[column / perByte] &>> shift & mask)]
        put(colour, at: target + index &* step, step: step)
      }
    }
  }

  /// Writes a pixel of 1, 3 or 4 bytes. Of 3 a fourth is touched, which the next pixel overwrites.
  @inline(__always) private static func put(
    _ colour: UInt32, at target: UnsafeMutablePointer<UInt8>, step: Int
  ) {
    if step == 1 {
      target[0] = UInt8(truncatingIfNeeded: colour)
    } else {
      UnsafeMutableRawPointer(target).storeBytes(of: colour.littleEndian, as: UInt32.self)
    }
  }

  /// Blue, green, red to red, green, blue or grey.
  static func swap(
    _ source: UnsafePointer<UInt8>, size: Int, count: Int, step: Int, into target: UnsafeMutablePointer<UInt8>
  ) {
    let fours = size == 3 && step == 3 ? swapFours(source, count: count, into: target) : 0
    for index in fours..<count {
      let pixel = source + index &* size
      let (blue, green, red) = (UInt32(pixel[0]), UInt32(pixel[1]), UInt32(pixel[2]))
      if step == 1 {
        let sum = red &* 19595 &+ green &* 38470 &+ blue &* 7471 &+ 0x8000
        target[index] = UInt8(truncatingIfNeeded: sum &>> 16)
      } else {
        let place = target + index &* step
        place[0] = UInt8(truncatingIfNeeded: red)
        place[1] = UInt8(truncatingIfNeeded: green)
        place[2] = UInt8(truncatingIfNeeded: blue)
      }
    }
  }

  /// Four pixels of three bytes at a time, as three words. Returns the number of pixels.
  private static func swapFours(
    _ source: UnsafePointer<UInt8>, count: Int, into target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let (source, target) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
    func word(_ place: Int) -> UInt32 {
      UInt32(littleEndian: source.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }
    func put(_ word: UInt32, _ place: Int) {
      target.storeBytes(of: word.littleEndian, toByteOffset: place, as: UInt32.self)
    }
    let end = count & ~3
    var place = 0
    while place < 3 &* end {
      let a = word(place)
      let b = word(place &+ 4)
      let c = word(place &+ 8)
      // b0 g0 r0 b1, g1 r1 b2 g2, r2 b3 g3 r3 become r0 g0 b0 r1, g1 b1 r2 g2, b2 r3 g3 b3.
      var first: UInt32 = a &>> 16 & 0xFF
      first |= a & 0xFF00
      first |= (a & 0xFF) &<< 16
      first |= (b & 0xFF00) &<< 16
      var second: UInt32 = b & 0xFF00_00FF
      second |= a &>> 16 & 0xFF00
      second |= (c & 0xFF) &<< 16
      var third: UInt32 = b &>> 16 & 0xFF
      third |= c &>> 16 & 0xFF00
      third |= c & 0xFF_0000
      third |= (c & 0xFF00) &<< 16
      put(first, place)
      put(second, place &+ 4)
      put(third, place &+ 8)
      place &+= 12
    }
    return end
  }

  static func unpack(
    _ source: UnsafePointer<UInt8>, size: Int, _ masks: [BMPMask], count: Int, step: Int,
    into target: UnsafeMutablePointer<UInt8>
  ) {
    let (reds, greens, blues) = (masks[0], masks[1], masks[2])
    for index in 0..<count {
      let place = source + index &* size
      var pixel = UInt32(place[0]) | UInt32(place[1]) &<< 8
      if size > 2 { pixel |= UInt32(place[2]) &<< 16 }
      if size > 3 { pixel |= UInt32(place[3]) &<< 24 }
      let (red, green, blue) = (reds.level(pixel), greens.level(pixel), blues.level(pixel))
      if step == 1 {
        let sum = UInt32(red) &* 19595 &+ UInt32(green) &* 38470 &+ UInt32(blue) &* 7471 &+ 0x8000
        target[index] = UInt8(truncatingIfNeeded: sum &>> 16)
      } else {
        let place = target + index &* step
        (place[0], place[1], place[2]) = (red, green, blue)
      }
    }
  }
}

/// The run-length encoding of a bitmap: pairs of a count and an index, or of zero and an escape.
struct BMPRuns {
  private let source: UnsafeBufferPointer<UInt8>
  private let file: BMPFile
  private let isHalf: Bool

  init(_ source: UnsafeBufferPointer<UInt8>, _ file: BMPFile, isHalf: Bool) {
    (self.source, self.file, self.isHalf) = (source, file, isHalf)
  }

  /// Writes one index a pixel, the top row first. What the runs leave out is index 0.
  /// - Throws: `OnePassError` (`badData`) if the file ends before the end of the bitmap.
  func decode(into indices: UnsafeMutablePointer<UInt8>) throws {
    let (width, height) = (file.width, file.height)
    indices.update(repeating: 0, count: width * height)
    var (at, x, y) = (file.offset, 0, 0)
    /// The index number `number` of a pixel in a byte.
    func half(_ byte: UInt8, _ number: Int) -> UInt8 {
      isHalf ? (number & 1 == 0 ? byte >> 4 : byte & 15) : byte
    }
    while y < height, !(y == height - 1 && x >= width) {
      guard at + 2 <= source.count else { throw OnePassError.truncatedImage(.bmp, after: source.count) }
      let (count, value) = (Int(source[at]), source[at + 1])
      at += 2
      let row = indices + (file.isTopDown ? y : height - 1 - y) * width
      switch (count, value) {
      case (0, 0): (x, y) = (0, y + 1)
      case (0, 1): return
      case (0, 2):
        guard at + 2 <= source.count else { throw OnePassError.truncatedImage(.bmp, after: source.count) }
        (x, y) = (x + Int(source[at]), y + Int(source[at + 1]))
        at += 2
      case (0, _):
        let length = Int(value)
        let size = isHalf ? (length + 1) / 2 : length
        let wanted = min(length, max(0, width - x))
        guard at + (isHalf ? (wanted + 1) / 2 : wanted) <= source.count else {
          throw OnePassError.truncatedImage(.bmp, after: source.count)
        }
        for number in 0..<wanted {
          row[x + number] = half(source[at + (isHalf ? number / 2 : number)], number)
        }
        x += length
        // Aligned to two bytes.
        at += size + (at + size) & 1
      default:
        for number in 0..<min(count, max(0, width - x)) { row[x + number] = half(value, number) }
        x += count
      }
    }
  }
}
