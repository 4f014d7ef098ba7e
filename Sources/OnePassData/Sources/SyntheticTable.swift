import OnePassCore

/// Images of noise, brighter with each class, made when they are asked for: to try a machine without any data.
///
/// The same row is the same image everywhere. Colour, as bare pixels, so that nothing has to be decoded.
public struct SyntheticTable: ExampleTable {
  public let count: Int
  public let classCount: Int
  public let classNames: [String]?
  /// Pixels of a side.
  public let size: Int

  /// - Precondition: `count >= 1`, `size >= 1`, `classCount >= 2`.
  public init(count: Int, size: Int, classCount: Int, classNames: [String]? = nil) {
    precondition(count >= 1 && size >= 1 && classCount >= 2, "Noise needs images, pixels and two classes.")
    self.count = count
    self.size = size
    self.classCount = classCount
    self.classNames = classNames
  }

  public func label(at row: Int) -> Int { row % classCount }

  public func image(at row: Int) -> EncodedImage {
    var chance = SeededGenerator(seed: 0, .syntheticImage, row)
    let brightness = UInt8(127 * label(at: row) / (classCount - 1))
    let bytes = [UInt8](unsafeUninitializedCapacity: size * size * 3) { buffer, filled in
      while filled < buffer.count {
        withUnsafeBytes(of: chance.next()) { noise in
          for byte in noise.prefix(buffer.count - filled) {
            buffer[filled] = byte / 2 + brightness
            filled += 1
          }
        }
      }
    }
    return EncodedImage(bytes: bytes, encoding: .pixels(width: size, height: size, channels: 3))
  }
}

/// `synthetic:COUNT:SIZE:CLASSES`.
func openSynthetic(_ request: SourceRequest) throws -> any ExampleSource {
  let form = "synthetic:COUNT:SIZE:CLASSES, as in synthetic:10000:250:1000"
  let numbers = try request.requiredArgument(form).split(separator: ":", omittingEmptySubsequences: false)
    .map { Int($0) }
  guard numbers.count == 3, let count = numbers[0], let size = numbers[1], let classes = numbers[2],
    (1...Int(Int32.max)).contains(count), (1...4_096).contains(size), (2...65_535).contains(classes)
  else {
    throw OnePassError(
      .usage,
      "\"\(request.specification)\" is not possible: write \(form), with 1 to 4096 pixels a side and 2 to 65535 classes."
    )
  }
  guard request.classNames.map({ $0.count == classes }) ?? true else {
    throw OnePassError(
      .badData,
      "\(request.specification) has \(classes) classes, and \(request.classNames?.count ?? 0) are asked for.")
  }
  return try request.shuffled(
    SyntheticTable(count: count, size: size, classCount: classes, classNames: request.classNames))
}
